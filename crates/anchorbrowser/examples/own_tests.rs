//! How to test your own code without an account: `cargo run --example own_tests`.
//!
//! In your project this is a test: the emulator goes under `[dev-dependencies]`.

mod support;

use std::time::Duration;

use anchorbrowser::Client;
use anchorbrowser_emulator::{Emulator, Fault};

/// The code under test: it visits pages and says how many of them it reached.
async fn visit(client: &Client, urls: &[&str]) -> anchorbrowser::Result<usize> {
    client
        .sessions()
        .create()
        .tag("visits")
        .scope(async |session| {
            let mut reached = 0;
            for url in urls {
                match session.goto(*url).await {
                    Ok(()) => reached += 1,
                    Err(error) if error.is_timeout() || error.status().is_some() => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(reached)
        })
        .await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (client, emulator) = support::client(Emulator::builder().manual_clock()).await?;
    let urls = ["https://example.com", "https://example.org"];

    let Some(emulator) = emulator else {
        println!("reached {} of {}", visit(&client, &urls).await?, urls.len());
        return Ok(());
    };

    // The rate limit is met, and the SDK waits as the server asks.
    emulator.fault(Fault::rate_limited(Duration::from_secs(1)).on("create_session"))?;
    assert_eq!(visit(&client, &urls).await?, 2);
    assert_eq!(emulator.count("create_session")?, 2);
    println!("a rate limit is waited for");

    // A page fails once: it is not opened a second time, for that could do harm.
    emulator.clear_exchanges();
    emulator.fault(Fault::status(502).on("goto"))?;
    assert_eq!(visit(&client, &urls).await?, 1);
    assert_eq!(emulator.count("goto")?, 2);
    println!("a failed page is counted as not reached");

    // Whatever happened, no session is left over.
    let ended = emulator.exchanges_of("delete_session")?.len();
    assert_eq!(ended, 1);
    println!("the session has ended");
    Ok(())
}
