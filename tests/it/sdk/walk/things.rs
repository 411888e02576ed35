//! Volumes, extensions, certificates, webhooks, billing, and how an agent obtains a key.

use std::time::{Duration, SystemTime};

use anchorbrowser::billing::Granularity;
use anchorbrowser::volumes::VolumeFiles;
use anchorbrowser::webhook::{EventPayload, Verifier};
use anchorbrowser::{Options, Upload};

use super::{Walk, gone};
use crate::server::{Answer, Server};

pub(super) async fn walk(walk: &Walk) -> anyhow::Result<()> {
    volume(walk).await?;
    extension(walk).await?;
    certificate(walk).await?;
    webhook(walk).await?;
    key(walk).await?;
    billing(walk).await
}

/// A volume takes files, also those that a session downloads.
async fn volume(walk: &Walk) -> anyhow::Result<()> {
    let volumes = walk.client.volumes();
    let id = volumes.create("reports").await?.id;
    let volume = volumes.get_by_name("reports").await?;
    assert_eq!(volume.id, id);
    walk.says(volumes.get(&id).await?.state, "ready");
    assert_eq!(volumes.list().send().await?.items.len(), 1);
    files(walk, &volumes.files(&id)).await?;

    let session = walk.client.sessions().create().volume(&id).send().await?;
    session.goto("https://example.com/prices.csv").await?;
    walk.passes(Duration::from_secs(60))?;
    let file = volumes.files(&id).stat("downloads/prices.csv").await?;
    assert_eq!(file.content_type.as_deref(), Some("text/csv"));
    session.end().await?;
    volumes.delete(&id).await?;
    gone(volumes.get(&id)).await;
    Ok(())
}

async fn files(walk: &Walk, files: &VolumeFiles) -> anyhow::Result<()> {
    let small = Upload::bytes("data.csv", "a,b\n");
    files.upload("in/data.csv", small).send().await?;
    let large = || Upload::bytes("large.bin", vec![7; 100_000]);
    let uploaded = files.upload_large("in/large.bin", large()).await;
    if walk.drift {
        // By a method that the SDK does not know, nothing is sent.
        let error = uploaded.unwrap_err();
        assert!(error.to_string().contains("another method"), "{error}");
        files.upload("in/large.bin", large()).send().await?;
    } else {
        uploaded?;
    }
    files.create_directory("out").await?;
    let list = files.list().recursive(true).page_size(3).stream();
    let list = list.collect().await?;
    let paths: Vec<_> = list.iter().map(|entry| &*entry.path).collect();
    assert_eq!(paths, ["in", "in/data.csv", "in/large.bin", "out"]);

    let text = files.download("in/data.csv").await?.text().await?;
    assert_eq!(text, "a,b\n");
    let folder = tempfile::tempdir()?;
    let saved = files.download("in/large.bin").await?;
    let saved = saved.save_in(folder.path()).await?;
    assert!(std::fs::read(saved)? == [7; 100_000]);
    files.delete("in/data.csv").await?;
    files.delete_all("in/").await?;
    let paths = files.paths().stream().collect().await?;
    assert_eq!(paths, ["out/"]);
    Ok(())
}

async fn extension(walk: &Walk) -> anyhow::Result<()> {
    let extensions = walk.client.extensions();
    let file = Upload::bytes("blocker.zip", "PK\x03\x04 and so on");
    let made = extensions.upload("blocker", file).await?;
    let found = extensions.get(&made.id).await?;
    assert_eq!(found.name.as_deref(), Some("blocker"));
    assert_eq!(extensions.list().send().await?.items.len(), 1);
    let session = walk.client.sessions().create().extension(&made.id);
    session.send().await?.end().await?;
    extensions.delete(&made.id).await?;
    gone(extensions.get(&made.id)).await;
    Ok(())
}

async fn certificate(walk: &Walk) -> anyhow::Result<()> {
    let certificates = walk.client.certificates();
    let file = Upload::bytes("ca.pem", "-----BEGIN CERTIFICATE-----");
    let create = certificates.create("office-ca", file);
    create.description("of the office").send().await?;
    let list = certificates.list().send().await?;
    assert_eq!(list.items[0].name, "office-ca");
    certificates.delete("office-ca").await?;
    gone(certificates.delete("office-ca")).await;
    Ok(())
}

/// What is delivered is what it says, by the old secret and by the new one.
async fn webhook(walk: &Walk) -> anyhow::Result<()> {
    // Webhooks without TLS are the emulator's own.
    let client = walk.client.with_options(Options::new().checks(false))?;
    let webhooks = client.webhooks();
    let server = Server::always(Answer::json(200, "{}")).await;
    let create = webhooks.create(server.url(), ["session.ready"]);
    let made = create.description("of the walk").send().await?;
    let id = &made.webhook.id;
    assert_eq!(webhooks.list().send().await?.items[0].id, *id);
    let secret = webhooks.rotate_secret(id).await?;
    let verifier = Verifier::with_secrets([secret, made.secret])?;

    let session = walk.session().await?;
    walk.emulator.deliveries_done().await;
    let request = server.requests().remove(0);
    let now = Duration::from_millis(walk.emulator.now_millis().try_into()?);
    let now = SystemTime::UNIX_EPOCH + now;
    let event = verifier.verify_at(&request.headers, &request.body, now)?;
    let EventPayload::SessionReady(ready) = &event.payload else {
        panic!("{event:?}");
    };
    assert_eq!(ready.session_id.as_ref(), Some(session.id()));
    verifier.complete(&event);
    session.end().await?;

    let test = webhooks.test(id, "task.failed").await?;
    walk.emulator.deliveries_done().await;
    let deliveries = webhooks.events(id).stream().collect().await?;
    assert_eq!((deliveries.len(), &deliveries[0].event_id), (2, &test));
    walk.says(deliveries[0].status.as_ref(), "succeeded");
    webhooks.update(id).enabled(false).send().await?;
    assert!(!webhooks.get(id).await?.enabled);
    webhooks.delete(id).await?;
    gone(webhooks.get(id)).await;
    Ok(())
}

/// An agent earns a key of its own, and uses it.
async fn key(walk: &Walk) -> anyhow::Result<()> {
    let access = walk.client.agent_access();
    assert_eq!(access.guide().await?.flow.len(), 3);
    let challenge = access.challenge().await?;
    let page = access.appendix(challenge.appendix_ref.unwrap()).await?;
    let parts = page
        .inventory
        .lines()
        .filter_map(|line| line.split_once(": "));
    let wanted = parts.filter(|(part, _)| ["bolts", "nuts"].contains(part));
    let counts = wanted.filter_map(|(_, count)| count.parse::<u32>().ok());
    let answer = counts.sum::<u32>().to_string();
    let project = access.create(challenge.token, answer).send().await?;
    let agent = project.client_builder().base_url(walk.emulator.base_url());
    agent.build()?.sessions().list().send().await?;
    Ok(())
}

async fn billing(walk: &Walk) -> anyhow::Result<()> {
    let billing = walk.client.billing().get();
    let billing = billing.granularity(Granularity::Day).send().await?;
    let usage = billing.usage.unwrap();
    assert!(billing.credits_used > Some(0.0));
    assert_eq!(usage.credits_used, billing.credits_used);
    walk.says(usage.granularity, "day");
    Ok(())
}
