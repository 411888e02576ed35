//! Batches of sessions.

use anchorbrowser_api::types::{self, BatchSessionUpdateRequestSchemaStatus as Update};

use serde_json::json;

use super::{Walk, gone, ok};

pub(super) async fn walk(walk: &Walk) {
    retried(walk).await;
    cancelled(walk).await;
}

async fn create(walk: &Walk, count: i64) -> String {
    let metadata = json!({ "order": 7 });
    let body = types::BatchSessionRequestSchema {
        metadata: metadata.as_object().cloned(),
        ..types::BatchSessionRequestSchema::new(count)
    };
    let made = ok(walk.client.create_batch_session().body(body).send()).await;
    let made = made.data.unwrap();
    walk.says(made.status, "pending");
    assert_eq!(made.total_requests, Some(count));
    made.batch_id.unwrap()
}

/// One session of a batch fails, and is there after a retry.
async fn retried(walk: &Walk) {
    let client = &walk.client;
    let id = create(walk, 3).await;
    let get = async || {
        ok(client.get_batch_session().batch_id(&id).send())
            .await
            .data
            .unwrap()
    };
    walk.passes(700);
    let batch = get().await;
    let counts = (batch.completed_requests, batch.failed_requests);
    assert_eq!(counts, (Some(2), Some(1)));
    walk.says(batch.sessions[0].status.as_ref(), "completed");
    walk.says(batch.sessions[1].status.as_ref(), "failed");
    assert!(batch.sessions[1].error.is_some());

    let body = types::BatchSessionRetryRequestSchema::default();
    let retry = ok(client.retry_batch_session().batch_id(&id).body(body).send()).await;
    assert_eq!(retry.data.unwrap().retried_sessions, Some(1));
    walk.passes(700);
    let batch = get().await;
    walk.says(batch.status, "completed");
    assert_eq!(batch.completed_requests, Some(3));
    assert_eq!(batch.sessions[1].retry_count, Some(1));
    let of_batch = ok(client.list_sessions().batch_id(&id).send()).await;
    assert_eq!(of_batch.data.unwrap().sessions.len(), 3);
    for item in batch.sessions {
        assert_eq!(item.metadata["order"], 7);
        assert_eq!(walk.status(&item.session_id.unwrap()).await, "running");
    }
    let gone_with_it = ok(client.delete_batch_session().batch_id(&id).send()).await;
    assert_eq!(gone_with_it.data.unwrap().deleted_sessions, Some(3));
    gone(client.get_batch_session().batch_id(&id).send()).await;
}

/// A batch is given up before its sessions are there.
async fn cancelled(walk: &Walk) {
    let client = &walk.client;
    let id = create(walk, 2).await;
    let body = types::BatchSessionUpdateRequestSchema::new(Update::Cancelled);
    let cancelled = ok(client
        .update_batch_session()
        .batch_id(&id)
        .body(body)
        .send())
    .await;
    let cancelled = cancelled.data.unwrap();
    walk.says(cancelled.status, "cancelled");
    assert_eq!(cancelled.batch_id.as_ref(), Some(&id));
    let status = types::ListBatchSessionsStatus::Cancelled;
    let list = ok(client.list_batch_sessions().status(status).limit(5).send()).await;
    let list = list.data.unwrap();
    assert_eq!(list.batches.len(), 1);
    assert_eq!(list.batches[0].batch_id.as_ref(), Some(&id));
    assert_eq!(list.pagination.unwrap().total_records, Some(1));
}
