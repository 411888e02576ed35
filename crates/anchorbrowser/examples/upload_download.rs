//! Files to a session, files from a session, and files that stay: `cargo run --example upload_download`.

mod support;

use anchorbrowser::Upload;
use anchorbrowser_emulator::Emulator;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (client, emulator) = support::client(Emulator::builder()).await?;
    let session = client.sessions().create().send_owned().await?;

    let report = Upload::bytes("report.csv", "name,price\nKettle,34.5\n");
    session.upload(report).await?;
    println!("The session's browser can use report.csv.");

    if let Some(emulator) = &emulator {
        // An emulator's browser downloads nothing by itself.
        let (name, url) = ("invoice.pdf", "https://example.com/invoice");
        emulator.add_download(session.id().as_str(), name, url, "%PDF-1.7")?;
    }
    let folder = tempfile::tempdir()?;
    for file in session.downloads().send().await? {
        let path = session.download(&file).await?.save_in(&folder).await?;
        println!("Its browser downloaded {}.", path.display());
    }
    session.end().await?;

    let volume = client.volumes().create("example").await?;
    let files = client.volumes().files(&volume.id);
    let today = Upload::bytes("today.csv", "1,2,3\n");
    files.upload("reports/today.csv", today).send().await?;
    let text = files.download("reports/today.csv").await?.text().await?;
    println!("The volume has reports/today.csv: {text:?}");
    client.volumes().delete(&volume.id).await?;
    Ok(())
}
