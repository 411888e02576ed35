//! Batches of sessions.

use std::time::Duration;

use anchorbrowser::batch_sessions::{Phase, Status};
use anchorbrowser::sessions::SessionOptions;
use anchorbrowser::{BatchId, Client, ErrorKind, Result};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::client;
use super::methods::{ID, Method, methods};
use super::sessions::{SECRET, refused};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.batch_sessions().create(2).send(),
        client.batch_sessions().get(ID),
        client.batch_sessions().list().send(),
        client.batch_sessions().cancel(ID),
        client.batch_sessions().delete(ID),
        client.batch_sessions().retry(ID).send(),
        client.batch_sessions().attach([ID]).get(),
        client.batch_sessions().attach([ID]).delete(),
    )
}

/// A batch that is not split.
async fn one(client: &Client, count: u32) -> Result<BatchId> {
    let batch = client.batch_sessions().create(count).send().await?;
    Ok(batch.ids()[0].clone())
}

/// Longer than the emulator takes for a batch.
const LONG: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_batch_is_created_looked_at_retried_and_deleted() -> anyhow::Result<()> {
    let builder = Emulator::builder().failures(|failures| failures.batch_items = vec![1]);
    let emulator = builder.manual_clock().start().await?;
    let client = client(&emulator);
    let options = SessionOptions::new().tag("many");
    let create = client.batch_sessions().create(3).metadata("order", 7);
    let created = create.options(options).send().await?;
    let id = &created.ids()[0];
    let sent = emulator.exchanges_of("create_batch_session")?[0].json();
    let configuration = json!({ "session": { "tags": ["many"] } });
    let expected =
        json!({ "count": 3, "configuration": configuration, "metadata": { "order": 7 } });
    assert_eq!(sent, expected);

    let batch = client.batch_sessions().get(id).await?;
    assert_eq!(
        (&batch.ids[..], &batch.status),
        (created.ids(), &Status::Pending)
    );
    assert_eq!((batch.total, batch.pending, batch.completed), (3, 3, 0));
    assert_eq!(
        (batch.phase.clone(), batch.percentage),
        (Some(Phase::Queued), Some(0.0))
    );
    assert_eq!(batch.sessions().count(), 0);
    emulator.advance(LONG)?;
    let batch = client.batch_sessions().get(id).await?;
    assert_eq!(batch.status, Status::Completed);
    assert_eq!((batch.completed, batch.failed), (2, 1));
    let failed = batch.items().nth(1).unwrap();
    assert!(batch.completed_at.is_some() && failed.error.is_some());
    assert_eq!(failed.status, Some(Status::Failed));
    assert!(failed.session(&client).is_none());

    let retry = client.batch_sessions().retry(id).max_retries(2);
    let retry = retry.failed_only(false).send().await?;
    assert_eq!((retry.retried, retry.status), (1, Some(Status::Processing)));
    let sent = emulator.exchanges_of("retry_batch_session")?[0].json();
    assert_eq!(
        sent,
        json!({ "max_retries": 2, "retry_failed_only": false })
    );
    emulator.advance(LONG)?;
    let batch = client.batch_sessions().get(id).await?;
    let retries: Vec<_> = batch.items().map(|item| item.retries).collect();
    assert_eq!((batch.completed, retries), (3, vec![0, 1, 0]));
    for (place, item) in batch.items().enumerate() {
        assert_eq!(
            (item.index, &item.metadata["order"]),
            (Some(place as u64), &json!(7))
        );
        assert_eq!(item.session(&client).unwrap().tags().await?, ["many"]);
    }

    let deleted = client.batch_sessions().delete(id).await?;
    assert!(deleted.is_complete() && deleted.deleted == 3 && deleted.message.is_some());
    let gone = client.batch_sessions().get(id).await;
    assert!(gone.unwrap_err().is_not_found());
    Ok(())
}

/// Only what can be connected to is handed out, and no address of it is printed.
#[tokio::test]
async fn sessions_that_are_not_ready_are_not_handed_out() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    let id = one(&client, 1).await?;
    emulator.advance(Duration::from_millis(600))?;
    let batch = client.batch_sessions().get(&id).await?;
    assert_eq!(
        (batch.phase.clone(), batch.processing),
        (Some(Phase::Configuring), 1)
    );
    assert!(batch.items().all(|item| item.session_id.is_some()));
    assert_eq!(batch.sessions().count(), 0);
    emulator.advance(LONG)?;
    let batch = client.batch_sessions().get(&id).await?;
    let session = batch.sessions().next().unwrap();
    assert!(session.cdp_url().expose().contains(SECRET) && session.live_view_url().is_some());
    let item = batch.items().next().unwrap();
    assert_eq!(item.session_id.as_ref(), Some(session.id()));
    assert!(!format!("{batch:?}").contains(SECRET));
    Ok(())
}

#[tokio::test]
async fn a_batch_is_given_up_once() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    let id = one(&client, 150).await?;
    emulator.advance(Duration::from_millis(700))?; // the first wave is there
    let cancelled = client.batch_sessions().cancel(&id).await?;
    assert_eq!(cancelled.status, Some(Status::Cancelled));
    assert_eq!(cancelled.ended, 100);
    let again = client.batch_sessions().cancel(&id).await;
    assert!(again.unwrap_err().is_conflict());
    assert!(
        client
            .batch_sessions()
            .cancel(ID)
            .await
            .unwrap_err()
            .is_not_found()
    );
    let retry = client.batch_sessions().retry(&id).send().await;
    assert_eq!(retry.unwrap_err().status().unwrap(), 400);
    Ok(())
}

#[tokio::test]
async fn batches_are_listed_over_pages() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    for count in 1..=5 {
        let id = one(&client, count).await?;
        if count == 5 {
            client.batch_sessions().cancel(id).await?;
        }
    }
    let list = || client.batch_sessions().list().page_size(2);
    let batches = list().stream().collect().await?;
    let totals: Vec<_> = batches.iter().map(|batch| batch.total).collect();
    assert_eq!(totals, [5, 4, 3, 2, 1]);
    assert_eq!(emulator.count("list_batch_sessions")?, 3);
    let third = list().page(3).send().await?;
    assert_eq!(
        (third.items.len(), third.total, third.has_next()),
        (1, Some(5), false)
    );
    let cancelled = list().status(Status::Cancelled).send().await?;
    assert_eq!((cancelled.items.len(), cancelled.total), (1, Some(1)));
    let later = list().created_after("2026-01-02T00:00:00Z").send().await?;
    let earlier = list().created_before("2026-01-02T00:00:00Z").send().await?;
    assert_eq!((later.total, earlier.total), (Some(0), Some(5)));
    Ok(())
}

#[tokio::test]
async fn sessions_that_could_not_be_deleted_are_told() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let errors = json!([{ "session_id": "s-2", "error": "still saving its profile" }]);
    let data = json!({ "deleted_sessions": 2, "failed_deletions": 1, "errors": errors });
    let answer = Fault::status(200).json(json!({ "data": data }));
    emulator.fault(answer.on("delete_batch_session"))?;
    let deleted = client(&emulator).batch_sessions().delete(ID).await?;
    assert!(!deleted.is_complete());
    assert_eq!((deleted.deleted, deleted.failed), (2, 1));
    assert_eq!(deleted.errors[0].session_id, "s-2");
    assert!(deleted.errors[0].error.is_some());
    Ok(())
}

#[tokio::test]
async fn an_answer_without_what_was_asked_for_is_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    let methods = methods!(client =>
        client.batch_sessions().create(1).send(),
        client.batch_sessions().get(ID),
        client.batch_sessions().get(ID),
        client.batch_sessions().list().send(),
    );
    let answers = [
        ("create_batch_session", json!({}), "data.batch_id"),
        (
            "get_batch_session",
            json!({ "batch_id": "b" }),
            "data.status",
        ),
        (
            "get_batch_session",
            json!({ "status": "pending" }),
            "data.batch_id",
        ),
        ("list_batch_sessions", json!(null), "data.batches"),
    ];
    for (method, (operation, data, field)) in methods.into_iter().zip(answers) {
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on(operation))?;
        let error = (method.call)(client.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{operation}");
        assert!(error.to_string().contains(field), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn what_the_api_would_refuse_is_not_sent() -> anyhow::Result<()> {
    let emulator = Emulator::builder().lenient(true).start().await?;
    let create = async |client: Client, count, options: SessionOptions| {
        let create = client.batch_sessions().create(count).options(options);
        create.send().await.map(drop)
    };
    refused(&emulator, "count", async |client| {
        create(client, 0, SessionOptions::new()).await
    })
    .await?;
    let captcha = || SessionOptions::new().captcha_solver(true);
    refused(&emulator, "captcha_solver", async |client| {
        create(client, 1, captcha()).await
    })
    .await?;
    for count in [0, 4] {
        refused(&emulator, "max_retries", async |client| {
            let retry = client.batch_sessions().retry(ID).max_retries(count);
            retry.send().await.map(drop)
        })
        .await?;
        refused(&emulator, "max_retries", async |client| {
            let batch = client.batch_sessions().attach([ID]);
            let retry = batch.retry_failed().max_retries(count);
            retry.send().await.map(drop)
        })
        .await?;
    }
    for size in [0, 101] {
        refused(&emulator, "limit", async |client| {
            let list = client.batch_sessions().list().page_size(size);
            list.send().await.map(drop)
        })
        .await?;
    }
    refused(&emulator, "page", async |client| {
        client
            .batch_sessions()
            .list()
            .page(0)
            .send()
            .await
            .map(drop)
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_for_nothing() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    let none = client.batch_sessions().attach(Vec::<BatchId>::new());
    let one = client.batch_sessions().attach([ID]);
    for (error, named) in [
        (none.get().await.unwrap_err(), "no id"),
        (none.wait().await.unwrap_err(), "no id"),
        (none.retry_failed().send().await.unwrap_err(), "no id"),
        (none.cancel().await.unwrap_err(), "no id"),
        (none.delete().await.unwrap_err(), "no id"),
        (
            one.for_each_concurrent(0, async |_| Ok(()))
                .await
                .unwrap_err(),
            "limit",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(named), "{error}");
    }
    assert!(emulator.exchanges().is_empty());
    Ok(())
}
