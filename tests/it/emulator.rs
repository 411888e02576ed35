//! What the README shows of the emulator.

use std::time::Duration;

use anchorbrowser_api::Client;
use anchorbrowser_emulator::{Emulator, Fault};

#[tokio::test]
async fn readme() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .api_key("test")
        .build()?;

    emulator.fault(Fault::rate_limited(Duration::from_secs(1)).on("create_session"))?;
    assert!(client.create_session().send().await.is_err());
    client.create_session().send().await?;
    emulator.advance(Duration::from_secs(300))?; // the session is idle for five minutes, and ends
    assert_eq!(emulator.count("create_session")?, 2);
    Ok(())
}
