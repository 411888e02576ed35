//! Recordings of sessions, and the files that sessions downloaded.

mod downloads;

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::{Answer, Outcome, Refusal};
use crate::browser::Video;
use crate::call::Call;
use crate::media;
use crate::resources::{Routes, find, sessions, webhooks};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) use downloads::{Arrived, Download, add_download, download, downloaded, keep_download};

pub(crate) const ROUTES: Routes = &[
    ("GET /v1/sessions/{session_id}/recordings", list),
    ("POST /v1/sessions/{session_id}/recordings/pause", pause),
    ("POST /v1/sessions/{session_id}/recordings/resume", resume),
    (
        "GET /v1/sessions/{session_id}/recordings/primary/fetch",
        fetch,
    ),
    (
        "DELETE /v1/sessions/{session_id}/recordings/{recording_id}",
        delete,
    ),
    ("GET /v1/sessions/{session_id}/downloads", downloads::list),
];

/// How long after the end of its session a recording is ready.
const MADE_AFTER: Duration = Duration::from_millis(500);
/// The word for the one recording of a session.
const PRIMARY: &str = "primary";

/// The recording of a session. Unless a video of its browser was made, it is the sample, whatever the length stated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Recording {
    pub(crate) session: String,
    /// Its own id.
    recording: String,
    created: Time,
    ended: Option<Time>,
    paused_since: Option<Time>,
    /// Pauses that are over.
    paused: Duration,
    /// It can be listed, fetched and deleted.
    ready: bool,
    /// A browser is recorded for it, and tells when there is a video, or that there is none.
    #[serde(default)]
    filmed: bool,
    /// How long the video is that was made, which has the recording's own id.
    #[serde(default)]
    video: Option<Duration>,
}

impl Record for Recording {
    const KIND: &'static str = "recordings";

    /// A session has one recording, so the session's id is the key.
    fn id(&self) -> &str {
        &self.session
    }

    fn due(&self) -> Option<Time> {
        self.ended
            .filter(|_| !self.ready && !self.filmed)
            .map(|ended| ended.after(MADE_AFTER))
    }

    fn step(world: &mut World, session: &str) {
        set_ready(world, session);
    }
}

impl Recording {
    fn go_on(&mut self, now: Time) {
        if let Some(since) = self.paused_since.take() {
            self.paused += now.since(since);
        }
    }

    /// The recorded time, as the API writes it: seconds, as text.
    fn seconds(&self) -> String {
        let ended = self.ended.unwrap_or(self.created);
        let recorded = ended.since(self.created).saturating_sub(self.paused);
        format!("{:.3}", self.video.unwrap_or(recorded).as_secs_f64())
    }
}

fn set_ready(world: &mut World, session: &str) {
    let Some(recording) = world.tables.recordings.edit(session) else {
        return;
    };
    recording.ready = true;
    let data = json!({
        "session_id": session,
        "recording_id": recording.recording,
        "duration": recording.seconds(),
    });
    webhooks::emit(world, "session.recording.ready", data);
}

/// The browser of a session is recorded, and [`made`] follows.
pub(crate) fn filmed(world: &mut World, session: &str) {
    if let Some(recording) = world.tables.recordings.edit(session) {
        recording.filmed = true;
    }
}

/// The video of a session was made, or there is none and the sample takes its place.
pub(crate) fn made(world: &mut World, session: &str, video: Option<Video>) {
    let Some(recording) = world.tables.recordings.edit(session) else {
        return;
    };
    recording.filmed = false;
    let Some(Video { bytes, length }) = video else {
        return;
    };
    match world.blobs.put(&recording.recording, bytes) {
        Ok(()) => {
            recording.video = Some(length);
            set_ready(world, session);
        }
        Err(refusal) => {
            let why = refusal.message;
            tracing::warn!(session, "the video of a session was not stored: {why}");
        }
    }
}

/// The videos that were to be made when an emulator went are not made by the next.
pub(crate) fn settle_lost(world: &mut World) {
    for session in world.tables.recordings.ids(|recording| recording.filmed) {
        made(world, &session, None);
    }
}

/// Begins the recording of a session that has just started.
pub(crate) fn begin(world: &mut World, session: &str) {
    let Some(record) = world.tables.sessions.get(session) else {
        return;
    };
    if !record.switch("/session/recording", true) {
        return;
    }
    let recording = Recording {
        session: session.to_owned(),
        recording: world.ids.uuid(),
        created: world.now,
        ended: None,
        paused_since: None,
        paused: Duration::ZERO,
        ready: false,
        filmed: false,
        video: None,
    };
    world.tables.recordings.insert(recording);
}

/// Ends the recording of a session that has just ended.
pub(crate) fn finish(world: &mut World, session: &str) {
    let now = world.now;
    if let Some(recording) = world.tables.recordings.edit(session) {
        recording.go_on(now);
        recording.ended = Some(now);
    }
}

/// Drops the recording and the downloads of a session that goes off the record.
pub(crate) fn forget(world: &mut World, session: &str) {
    remove(world, session);
    downloads::forget(world, session);
}

fn remove(world: &mut World, session: &str) {
    if let Some(recording) = world.tables.recordings.remove(session) {
        world.blobs.remove(&recording.recording);
    }
}

/// The video of a recording.
fn bytes(world: &World, recording: &Recording) -> Bytes {
    let video = world.blobs.get(&recording.recording);
    video.unwrap_or(Bytes::from_static(media::RECORDING))
}

/// The recording of the session of the path, ready to be seen; 404 if there is none.
fn ready<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Recording, Refusal> {
    let id = call.session();
    find(&world.tables.sessions, "session", id)?;
    match world.tables.recordings.get(id) {
        Some(recording) if recording.ready => Ok(recording),
        Some(_) => Err(Refusal::new(
            404,
            format!(
                "the recording of the session `{id}` is not ready; it is shortly after the session has ended"
            ),
        )),
        None => Err(Refusal::new(
            404,
            format!("the session `{id}` has no recording; it was turned off, or has been deleted"),
        )),
    }
}

fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let recording = ready(world, call)?;
    let session = &recording.session;
    let item = json!({
        "id": recording.recording,
        "is_primary": true,
        "file_link": format!("{}/v1/sessions/{session}/recordings/{PRIMARY}/fetch", world.base),
        "suggested_file_name": format!("session-{session}.mp4"),
        "duration": recording.seconds(),
        "size": bytes(world, recording).len(),
        "created_at": recording.created.text(),
    });
    Ok(Answer::data(json!({ "count": 1, "items": [item] })))
}

fn fetch(world: &mut World, call: &Call<'_>) -> Outcome {
    let recording = ready(world, call)?;
    Ok(Answer::bytes("video/mp4", bytes(world, recording)))
}

/// The recording that a running session makes; 404 if it makes none.
fn under_way<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Recording, Refusal> {
    let id = sessions::running(world, call)?.id.clone();
    world.tables.recordings.edit(&id).ok_or_else(|| {
        Refusal::new(
            404,
            format!("recording is turned off for the session `{id}`"),
        )
    })
}

/// The answer of [`pause`] and [`resume`], with the document's two envelopes.
fn switched() -> Outcome {
    Ok(Answer::data(json!({ "data": { "status": "success" } })))
}

/// A second pause changes nothing, and is no error.
fn pause(world: &mut World, call: &Call<'_>) -> Outcome {
    let now = world.now;
    under_way(world, call)?.paused_since.get_or_insert(now);
    world.browsers.pause(call.session(), true);
    switched()
}

fn resume(world: &mut World, call: &Call<'_>) -> Outcome {
    let now = world.now;
    under_way(world, call)?.go_on(now);
    world.browsers.pause(call.session(), false);
    switched()
}

/// The document knows no 404 here, so whatever is missing is refused with 400.
fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let recording = ready(world, call).map_err(|refusal| Refusal::bad(refusal.message))?;
    let wanted = call.path("recording_id");
    if wanted != PRIMARY && wanted != recording.recording {
        let known = &recording.recording;
        return Err(Refusal::bad(format!(
            "path recording_id: there is no recording `{wanted}`; the session has `{known}`"
        )));
    }
    let session = recording.session.clone();
    remove(world, &session);
    Ok(Answer::done())
}
