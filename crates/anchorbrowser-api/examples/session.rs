//! Starts a browser session, lists its pages, and ends it.
//!
//! `ANCHORBROWSER_API_KEY=... cargo run -p anchorbrowser-api --example session`

use anchorbrowser_api::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?; // ANCHORBROWSER_API_KEY
    let session = client.create_session().send().await?.into_inner();
    let session = session.data.unwrap_or_default();
    let id = session.id.ok_or("the answer names no session")?;
    let pages = client.get_session_pages().session_id(&*id).send().await?;
    println!("{pages:?}");
    client.delete_session().session_id(id).send().await?;
    Ok(())
}
