//! Batches that are larger than the API's.

use std::collections::HashSet;
use std::time::Duration;

use anchorbrowser::BatchId;
use anchorbrowser::batch_sessions::{BatchReport, Phase, Status};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use super::LONG;
use crate::sdk::methods::ID;
use crate::sdk::waiting::{patient, quick};

/// How many batches there are.
async fn left(client: &anchorbrowser::Client) -> anyhow::Result<u64> {
    let list = client.batch_sessions().list().send().await?;
    Ok(list.total.unwrap())
}

/// Scripts the answers to the next polls of the parts, which come in their order.
fn script(emulator: &Emulator, answers: impl IntoIterator<Item = Value>) -> anyhow::Result<()> {
    for mut data in answers {
        data["batch_id"] = json!("b");
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on("get_batch_session"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_large_batch_is_one_handle() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let create = client.batch_sessions().create(2500).metadata("order", 7);
    let batch = create.send().await?;
    let sent = emulator.exchanges_of("create_batch_session")?;
    let counts: Vec<_> = sent
        .iter()
        .map(|sent| sent.json()["count"].clone())
        .collect();
    assert_eq!(
        (batch.ids().len(), counts),
        (3, vec![json!(1000), json!(1000), json!(500)])
    );
    assert!(
        sent.iter()
            .all(|sent| sent.json()["metadata"]["order"] == 7)
    );

    let before = batch.get().await?;
    assert_eq!((before.total, before.pending), (2500, 2500));
    assert_eq!(
        (before.phase, before.percentage),
        (Some(Phase::Queued), Some(0.0))
    );
    emulator.advance(Duration::from_millis(2100))?;
    let mut progress = batch.progress();
    let between = progress.next().await.unwrap()?;
    assert_eq!(between.status, Status::Processing);
    // 500 of each part.
    assert_eq!((between.completed, between.percentage), (1500, Some(60.0)));
    assert!(between.sessions().count() == 1500);

    emulator.advance(LONG)?;
    emulator.clear_exchanges();
    let report = batch.wait().await?.check()?;
    assert_eq!((report.ready, report.snapshot.ids.len()), (2500, 3));
    assert_eq!(report.snapshot.percentage, Some(100.0));
    // The wait joined the polls of `progress`, which had seen the third part at its end, and asks for it
    // once more when the others are over.
    assert_eq!(emulator.count("get_batch_session")?, 3);
    let places = report.snapshot.items().map(|item| item.index.unwrap());
    assert!(places.eq(0..2500));
    let ids: HashSet<_> = report
        .snapshot
        .items()
        .flat_map(|item| &item.session_id)
        .collect();
    assert_eq!(ids.len(), 2500);
    let deleted = batch.delete().await?;
    assert_eq!((deleted.deleted, deleted.is_complete()), (2500, true));
    assert_eq!(left(&client).await?, 0);
    Ok(())
}

/// A part that is over is not asked again, unless it is retried.
#[tokio::test]
async fn parts_that_are_over_are_left_alone() -> anyhow::Result<()> {
    let builder = Emulator::builder().failures(|failures| failures.batch_items = vec![0]);
    let (emulator, client) = patient(builder).await?;
    let batch = client.batch_sessions().create(1001).send().await?;
    let mut progress = batch.progress();
    emulator.advance(Duration::from_millis(1000))?;
    let asked = async || -> anyhow::Result<Vec<String>> {
        let all = emulator.exchanges_of("get_batch_session")?;
        emulator.clear_exchanges();
        let path = |uri: &str| uri.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(all.iter().map(|one| path(&one.path)).collect())
    };
    let [large, small] = [&batch.ids()[0], &batch.ids()[1]];
    let shown = progress.next().await.unwrap()?;
    assert_eq!((shown.failed, shown.status), (2, Status::Processing));
    assert_eq!(asked().await?.len(), 2);
    progress.next().await.unwrap()?;
    assert_eq!(asked().await?, [large.as_str()]);

    // The part that is in progress is not retried.
    let retry = batch.retry_failed().send().await?;
    assert_eq!(retry.retried, 1);
    assert_eq!(emulator.exchanges_of("retry_batch_session")?.len(), 1);
    asked().await?;
    let shown = progress.next().await.unwrap()?;
    assert_eq!((shown.failed, shown.pending > 0), (1, true));
    let mut both = asked().await?;
    both.sort();
    let mut expected = [large.as_str(), small.as_str()];
    expected.sort();
    assert_eq!(both, expected);

    emulator.advance(LONG)?;
    let failed: Vec<_> = batch.failures().collect().await?;
    assert_eq!(
        failed.iter().map(|item| item.index).collect::<Vec<_>>(),
        [Some(0)]
    );
    assert_eq!(batch.retry_failed().send().await?.retried, 1);
    emulator.advance(LONG)?;
    assert_eq!(batch.wait().await?.check()?.ready, 1001);
    Ok(())
}

#[tokio::test]
async fn no_part_is_left_when_another_is_refused() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let refused = Fault::status(402).on("create_batch_session");
    emulator.fault(refused.clone().skip(2))?;
    let error = client
        .batch_sessions()
        .create(3000)
        .send()
        .await
        .unwrap_err();
    assert!(error.is_insufficient_credits());
    let text = error.to_string();
    assert!(
        text.contains("2 of the batches") && text.contains("deleted"),
        "{text}"
    );
    client.sessions().drained().await;
    assert_eq!(emulator.count("delete_batch_session")?, 2);
    assert_eq!(left(&client).await?, 0);

    emulator.fault(refused)?;
    let error = client
        .batch_sessions()
        .create(3000)
        .send()
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("deleted"), "{error}");
    assert_eq!(emulator.count("create_batch_session")?, 4);
    Ok(())
}

/// Given up while a part is being created, all are deleted: the one that is on its way too.
#[tokio::test]
async fn no_part_is_left_when_the_creation_is_dropped() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let slow = Fault::delay(Duration::from_secs(5)).on("create_batch_session");
    emulator.fault(slow.skip(1))?;
    let create = tokio::spawn(client.batch_sessions().create(3000).send());
    emulator.wait_for("create_batch_session", 2).await?;
    create.abort();
    assert!(create.await.unwrap_err().is_cancelled());
    emulator.advance(LONG)?;
    client.sessions().drained().await;
    assert_eq!(emulator.count("create_batch_session")?, 2);
    assert_eq!(emulator.count("delete_batch_session")?, 2);
    assert_eq!(left(&client).await?, 0);
    Ok(())
}

/// A handle on two small batches.
async fn two(
    client: &anchorbrowser::Client,
) -> anyhow::Result<anchorbrowser::batch_sessions::Batch> {
    let mut ids: Vec<BatchId> = Vec::new();
    for count in [2, 3] {
        let batch = client.batch_sessions().create(count).send().await?;
        ids.extend(batch.ids().to_vec());
    }
    Ok(client.batch_sessions().attach(ids))
}

#[tokio::test]
async fn all_parts_are_given_up_and_deleted_whatever_fails() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = two(&client).await?;
    client.batch_sessions().cancel(&batch.ids()[1]).await?;
    let cancelled = batch.cancel().await?;
    assert_eq!(cancelled.status, Some(Status::Cancelled));
    assert_eq!(cancelled.over, batch.ids()[1..]);
    let report = batch.wait().await?;
    assert_eq!((report.status(), report.cancelled), (&Status::Cancelled, 5));

    emulator.fault(Fault::status(403).on("delete_batch_session"))?;
    let error = batch.delete().await.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    assert!(error.to_string().contains("1 of the 2 parts"), "{error}");
    assert_eq!(left(&client).await?, 1);
    // The rest; then there is nothing more.
    assert!(batch.delete().await?.is_complete());
    assert_eq!(left(&client).await?, 0);
    assert!(batch.delete().await.unwrap_err().is_not_found());
    assert!(batch.get().await.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn sessions_that_are_left_over_are_told_for_all_parts() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    for count in [1, 2] {
        let errors = json!([{ "session_id": format!("s-{count}"), "error": "busy" }]);
        let data = json!({ "deleted_sessions": count, "failed_deletions": 1, "errors": errors });
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on("delete_batch_session"))?;
    }
    let deleted = two(&client).await?.delete().await?;
    assert_eq!((deleted.deleted, deleted.failed), (3, 2));
    assert!(!deleted.is_complete() && deleted.errors.len() == 2);
    Ok(())
}

/// The token has all parts.
#[tokio::test]
async fn a_large_batch_is_waited_for_elsewhere() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = two(&client).await?;
    let token = batch.wait().token();
    assert_eq!(token.ids().len(), 2);
    emulator.advance(LONG)?;
    let report = quick(&emulator).resume::<BatchReport>(&token)?.await?;
    assert_eq!((report.ready, report.total), (5, 5));
    let places = report.snapshot.items().map(|item| item.index.unwrap());
    assert!(places.eq(0..5));
    Ok(())
}

/// Items keep their places even if a part tells another size later.
#[tokio::test]
async fn items_keep_their_places() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let part = |status, total: i64| json!({ "status": status, "total_requests": total, "sessions": [{ "item_index": 0 }] });
    script(
        &emulator,
        [
            part("processing", 10),
            part("processing", 10),
            part("completed", -1),
            part("completed", 10),
        ],
    )?;
    let batch = client.batch_sessions().attach([ID, ID]);
    let mut progress = batch.progress();
    for _ in 0..2 {
        let shown = progress.next().await.unwrap()?;
        let places: Vec<_> = shown.items().map(|item| item.index.unwrap()).collect();
        assert_eq!(places, [0, 10]);
    }
    assert!(progress.next().await.is_none());
    Ok(())
}

/// Another process can retry what was over here.
#[tokio::test]
async fn a_part_that_was_retried_elsewhere_is_waited_for() -> anyhow::Result<()> {
    let builder = Emulator::builder().failures(|failures| failures.batch_items = vec![0]);
    let (emulator, client) = patient(builder).await?;
    let batch = client.batch_sessions().create(1001).send().await?;
    let mut progress = batch.progress();
    emulator.advance(Duration::from_millis(1000))?;
    assert_eq!(progress.next().await.unwrap()?.failed, 2);
    let elsewhere = client.batch_sessions().retry(&batch.ids()[1]);
    assert_eq!(elsewhere.send().await?.retried, 1);
    // The other part is over, and this one is in progress again.
    script(
        &emulator,
        [json!({ "status": "completed", "failed_requests": 1 })],
    )?;
    let shown = progress.next().await.unwrap()?;
    assert_eq!((shown.status, shown.failed), (Status::Processing, 1));
    Ok(())
}

/// A part that cannot be asked does not lose what the others answer.
#[tokio::test]
async fn each_part_may_fail_in_its_turn() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = two(&client).await?;
    emulator.advance(LONG)?;
    // Every other call.
    let failed = Fault::status(503).on("get_batch_session");
    for call in 0..5 {
        emulator.fault(failed.clone().skip(call))?;
    }
    let mut poller = batch.wait().max_failures(2);
    let report = poller.until_done().await?;
    assert_eq!((report.ready, poller.polls()), (5, 3));
    let places = report.snapshot.items().map(|item| item.index.unwrap());
    assert!(places.eq(0..5));
    Ok(())
}

#[tokio::test]
async fn a_part_that_is_gone_does_not_hide_one_that_is_there() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = two(&client).await?;
    client.batch_sessions().delete(&batch.ids()[0]).await?;
    emulator.fault(Fault::status(403).on("delete_batch_session").skip(1))?;
    let error = batch.delete().await.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    Ok(())
}

/// Parts of which each tells the same indexes: each failure is told once all the same.
#[tokio::test]
async fn failures_of_parts_are_told_apart() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let part = |status, index: i64, item| {
        let items = [json!({ "item_index": index, "status": item })];
        json!({ "status": status, "total_requests": 1, "sessions": items })
    };
    let going = [
        part("processing", 1, "failed"),
        part("processing", 0, "pending"),
    ];
    let over = [
        part("completed", 1, "failed"),
        part("completed", 0, "completed"),
    ];
    script(
        &emulator,
        going.iter().cloned().chain(going.clone()).chain(over),
    )?;
    let batch = client.batch_sessions().attach([ID, ID]);
    assert_eq!(batch.failures().collect().await?.len(), 1);
    Ok(())
}

/// It was created, although the answer is not what it should be.
#[tokio::test]
async fn a_batch_whose_answer_cannot_be_read_is_deleted() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let odd = json!({ "data": { "batch_id": ID, "status": {} } });
    emulator.fault(Fault::status(200).json(odd).on("create_batch_session"))?;
    let error = client.batch_sessions().create(1).send().await.unwrap_err();
    assert_eq!(error.kind(), anchorbrowser::ErrorKind::Decode, "{error}");
    client.sessions().drained().await;
    let deleted = emulator.exchanges_of("delete_batch_session")?;
    assert!(deleted[0].path.ends_with(ID));
    Ok(())
}
