//! What all examples begin with: a client of the service, or of an emulator in this process.

use anchorbrowser::Client;
use anchorbrowser_emulator::{Builder, Emulator};

/// With `ANCHORBROWSER_API_KEY` a client of the service. Without it a client of an emulator in this
/// process, which is given back, because it stops when it is dropped.
pub(crate) async fn client(emulator: Builder) -> anyhow::Result<(Client, Option<Emulator>)> {
    if std::env::var_os("ANCHORBROWSER_API_KEY").is_some() {
        let client = Client::from_env()?;
        println!("Using the service at {}.", client.base_url());
        return Ok((client, None));
    }
    let emulator = emulator.start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .api_key("any-key-will-do")
        .build()?;
    println!(
        "ANCHORBROWSER_API_KEY is not set: using an emulator at {}.",
        emulator.base_url()
    );
    Ok((client, Some(emulator)))
}
