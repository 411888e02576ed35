//! A session from beginning to end: `cargo run --example quickstart`.

mod support;

use std::time::Duration;

use anchorbrowser_emulator::Emulator;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (client, _emulator) = support::client(Emulator::builder()).await?;

    println!("Creating a session.");
    let session = client
        .sessions()
        .create()
        .headless(true)
        .tag("quickstart")
        .max_duration(Duration::from_secs(300))
        .send_owned() // ends itself, also if something below fails
        .await?;
    println!("  its id: {}", session.id());
    println!("  its browser, for CDP drivers: {}", session.cdp_url());

    println!("Opening a page.");
    session.goto("https://example.com").await?;
    for page in session.pages().await? {
        println!("  open: {}", page.url.as_deref().unwrap_or("a page"));
    }

    println!("Typing and clicking.");
    session.keyboard().type_text("hello").send().await?;
    session.mouse().click(100, 200).send().await?;

    println!("Taking a screenshot.");
    let file = std::env::temp_dir().join("anchorbrowser-quickstart.png");
    let bytes = session.screenshot().await?.save_to(&file).await?;
    println!("  {bytes} bytes in {}", file.display());

    println!("Letting an agent work in the session.");
    let outcome = session
        .agent()
        .task("Read the title of the page")
        .run()
        .await?;
    println!("  it says: {}", outcome.raw);

    println!("Listing sessions with the tag.");
    let mut sessions = client.sessions().list().tag("quickstart").stream();
    while let Some(listed) = sessions.next().await {
        let listed = listed?;
        println!("  {} is {}", listed.id, listed.status.unwrap_or_default());
    }

    println!("Ending the session.");
    session.end().await?;
    Ok(())
}
