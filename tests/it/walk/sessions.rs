//! Sessions: their life, tags, lists and recordings.

use anchorbrowser_api::types::{
    self, GetSessionsHistoryMetricsItem as Metric, Granularity,
    SessionHistoryPageItemUsedCredits as Credits,
};

use super::{Walk, bytes, done, file, gone, ok};

pub(super) async fn walk(walk: &Walk) {
    life(walk).await;
    later(walk).await;
    recordings(walk).await;
    many(walk).await;
}

/// A session is created, found, tagged and ended.
async fn life(walk: &Walk) {
    let client = &walk.client;
    let configuration = types::SessionCreateRequestSchema {
        session: Some(types::SessionConfig {
            initial_url: Some("https://example.com/".to_owned()),
            tags: Some(vec!["first".to_owned()]),
            ..Default::default()
        }),
        ..Default::default()
    };
    let made = ok(client.create_session().body(configuration).send()).await;
    let made = made.data.unwrap();
    let id = made.id.unwrap();
    assert!(made.cdp_url.unwrap().expose().contains(&id));

    let session = ok(client.get_session().session_id(&id).send()).await;
    let session = session.data.unwrap();
    assert_eq!(session.session_id.as_ref(), Some(&id));
    assert_eq!(session.status.as_deref(), Some("running"));
    let created = session.created_at.unwrap();
    let millis = created.to_utc().unwrap().timestamp_millis();
    assert_eq!(millis, walk.emulator.now_millis());
    let pages = ok(client.get_session_pages().session_id(&id).send()).await;
    let page = &pages.data.unwrap().items[0];
    assert_eq!(page.url.as_deref(), Some("https://example.com/"));

    let tags = ok(client.get_session_tags().session_id(&id).send()).await;
    assert_eq!(tags.tags, ["first"]);
    let tags = types::PutSessionTags::new(vec!["second".to_owned()]);
    let put = ok(client.put_session_tags().session_id(&id).body(tags).send()).await;
    assert_eq!(put.success, Some(true));
    let list = client.list_sessions().tags("second").limit(10);
    let list = ok(list.created_from(created).send()).await.data.unwrap();
    assert_eq!((list.sessions.len(), list.total), (1, Some(1.0)));
    assert_eq!(list.sessions[0].id.as_ref(), Some(&id));
    match list.sessions[0].used_credits.as_ref().unwrap() {
        Credits::String(credits) => walk.says(Some(credits), "N/A"),
        other => panic!("{other:?}"),
    }
    let all = ok(client.get_all_sessions_status().tags("second").send()).await;
    assert_eq!(all.data.unwrap().items[0].tags, ["second"]);
    ok(client.delete_session_tags().session_id(&id).send()).await;
    let tags = ok(client.get_session_tags().session_id(&id).send()).await;
    assert!(tags.tags.is_empty());

    done(&ok(client.delete_session().session_id(&id).send()).await);
    assert_eq!(walk.status(&id).await, "completed");
    gone(client.get_session_pages().session_id(&id).send()).await;
}

/// A session is asked for, and polled until it is there.
async fn later(walk: &Walk) {
    let client = &walk.client;
    let made = ok(client.create_session_async().send()).await.data.unwrap();
    let request = made.request_id.unwrap();
    walk.says(made.status, "pending");
    for (status, phase) in [("pending", "queued"), ("ready", "ready")] {
        let found = ok(client
            .get_async_session_status()
            .request_id(&request)
            .send())
        .await;
        let found = found.data.unwrap();
        assert_eq!(found.request_id.as_ref(), Some(&request));
        walk.says(found.status, status);
        walk.says(found.progress.unwrap().current_phase, phase);
        assert_eq!(found.session.is_some(), status == "ready");
        if let Some(session) = found.session {
            assert_eq!(walk.status(&session.session_id.unwrap()).await, "running");
        }
        walk.passes(700);
    }
}

/// What a session did is recorded, but for a pause.
async fn recordings(walk: &Walk) {
    let client = &walk.client;
    let id = walk.session().await;
    walk.passes(2_000);
    let paused = ok(client.pause_recording().session_id(&id).send()).await;
    done(&paused.data.unwrap());
    walk.passes(10_000);
    let resumed = ok(client.resume_recording().session_id(&id).send()).await;
    done(&resumed.data.unwrap());
    walk.passes(3_000);
    done(&ok(client.delete_session().session_id(&id).send()).await);
    walk.passes(1_000);

    let list = ok(client.list_recordings().session_id(&id).send()).await;
    let list = list.data.unwrap();
    let recording = &list.items[0];
    assert_eq!((list.count, recording.is_primary), (Some(1), Some(true)));
    assert_eq!(recording.duration.as_deref(), Some("5.000"));
    let video = bytes(client.fetch_primary_recording().session_id(&id).send()).await;
    assert_eq!(&video[4..8], b"ftyp");
    assert_eq!(recording.size, Some(video.len() as f64));
    assert_eq!(file(recording.file_link.as_deref()).await, video);
    let delete = client.delete_recording().session_id(&id);
    done(&ok(delete.recording_id("primary").send()).await);
    gone(client.list_recordings().session_id(&id).send()).await;
}

/// All sessions are ended at once, and counted.
async fn many(walk: &Walk) {
    let client = &walk.client;
    let (first, second) = (walk.session().await, walk.session().await);
    done(&ok(client.delete_all_sessions().send()).await);
    for id in [first, second] {
        assert_eq!(walk.status(&id).await, "completed");
    }
    let list = ok(client.get_all_sessions_status().send()).await;
    let count = list.data.unwrap().count.unwrap();
    let history = client.get_sessions_history().granularity(Granularity::Day);
    let metrics = [Metric::SessionCount, Metric::SessionHours];
    let history = ok(history.metrics(metrics).send()).await;
    let summary = history.summary.unwrap();
    assert_eq!(summary.total_sessions, Some(count as f64));
    assert!(summary.total_session_hours.unwrap() > 0.0);
    let counts = history.data.iter().filter_map(|day| day.session_count);
    assert_eq!(counts.sum::<f64>(), count as f64);
}
