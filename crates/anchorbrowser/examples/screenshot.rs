//! A screenshot and a PDF of a page, without a session of one's own: `cargo run --example screenshot -- URL`.

mod support;

use anchorbrowser_emulator::Emulator;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("https://example.com");
    let (client, _emulator) = support::client(Emulator::builder()).await?;

    let picture = client.tools().screenshot(url).send().await?;
    let file = std::env::temp_dir().join("anchorbrowser-page.png");
    let bytes = picture.limit(50 << 20).save_to(&file).await?;
    println!("{bytes} bytes in {}", file.display());

    let pdf = client.tools().pdf(url).send().await?;
    let pdf = pdf.on_progress(|progress| println!("{} bytes so far", progress.done));
    let file = std::env::temp_dir().join("anchorbrowser-page.pdf");
    let bytes = pdf.save_to(&file).await?;
    println!("{bytes} bytes in {}", file.display());
    Ok(())
}
