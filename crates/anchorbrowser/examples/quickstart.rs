//! A session from beginning to end: `cargo run --example quickstart`.

mod support;

use std::time::Duration;

use anchorbrowser_emulator::{Browser, Emulator};

/// What the session shows. A page of the web does as well.
const PAGE: &str = "data:text/html,<title>Quickstart</title>\
    <body style='font:2rem sans-serif;margin:3rem'><h1>A page in a session</h1><input autofocus>";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let builder = Emulator::builder().browser(Browser::Auto);
    let (client, emulator) = support::client(builder).await?;
    match emulator.as_ref().map(Emulator::browser) {
        Some(Some(program)) => println!("Its sessions run in {}.", program.display()),
        Some(None) => println!("There is no Chromium here: pages are names, screenshots drawn."),
        None => {}
    }

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
    session.goto(PAGE).await?;
    for page in session.pages().await? {
        println!("  open: {}", page.title.as_deref().unwrap_or("a page"));
    }

    println!("Clicking and typing.");
    session.mouse().click_on("input").send().await?;
    session.keyboard().type_text("hello").send().await?;

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
