//! Recordings of sessions.

use std::time::Duration;

use anchorbrowser_api::{ResponseValue, types};
use reqwest::StatusCode;

use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::page::List;
use crate::poll::{Awaited, Place, PollKind, PollToken, Poller, Verdict, Wait, sealed};
use crate::transfer::Download;
use crate::{Client, RecordingId, Secret, SessionId, Timestamp};

/// Recordings of sessions; see [`Client::recordings`].
///
/// The same calls for one session are those of [`Session::recordings`](crate::Session::recordings).
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// client.recordings().ready("session-id").await?;
/// let video = client.recordings().fetch_primary("session-id").await?;
/// video.save_to("session.mp4").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Recordings<'a> {
    client: &'a Client,
}

impl<'a> Recordings<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// The recordings of one session.
    pub fn of(&self, session: impl Into<SessionId>) -> SessionRecordings {
        SessionRecordings::new(self.client, session.into())
    }

    /// Lists the recordings of a session; see [`SessionRecordings::list`].
    ///
    /// Calls `list_recordings`.
    pub fn list(&self, session: impl Into<SessionId>) -> List<Recording> {
        self.of(session).list()
    }

    /// Waits for the recordings of a session; see [`SessionRecordings::ready`].
    ///
    /// Calls `list_recordings` for each poll.
    pub fn ready(&self, session: impl Into<SessionId>) -> Poller<Vec<Recording>, Vec<Recording>> {
        self.of(session).ready()
    }

    /// Fetches the primary recording of a session; see [`SessionRecordings::fetch_primary`].
    ///
    /// Calls `fetch_primary_recording`.
    pub fn fetch_primary(&self, session: impl Into<SessionId>) -> Call<Download> {
        self.of(session).fetch_primary()
    }

    /// Fetches a recording of a list; see [`SessionRecordings::fetch`].
    pub fn fetch(&self, recording: &Recording) -> Call<Download> {
        let name = recording.file_name.as_deref();
        Download::linked(self.client, recording.link.as_ref(), name)
    }

    /// Deletes a recording of a session; see [`SessionRecordings::delete`].
    ///
    /// Calls `delete_recording`.
    pub fn delete(
        &self,
        session: impl Into<SessionId>,
        recording: impl Into<RecordingId>,
    ) -> Call<()> {
        self.of(session).delete(recording)
    }

    /// Pauses the recording of a session; see [`SessionRecordings::pause`].
    ///
    /// Calls `pause_recording`.
    pub fn pause(&self, session: impl Into<SessionId>) -> Call<()> {
        self.of(session).pause()
    }

    /// Continues the recording of a session; see [`SessionRecordings::resume`].
    ///
    /// Calls `resume_recording`.
    pub fn resume(&self, session: impl Into<SessionId>) -> Call<()> {
        self.of(session).resume()
    }
}

/// The recordings of one session; see [`Session::recordings`](crate::Session::recordings).
///
/// A recording is ready shortly after its session has ended; until then the calls fail with
/// [`is_not_found`](crate::Error::is_not_found). [`ready`](Self::ready) waits for it, and a webhook
/// tells when it is.
#[derive(Clone, Debug)]
pub struct SessionRecordings {
    client: Client,
    session: SessionId,
}

impl SessionRecordings {
    pub(crate) fn new(client: &Client, session: SessionId) -> Self {
        Self {
            client: client.clone(),
            session,
        }
    }

    /// Lists the recordings.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none, or none yet.
    ///
    /// Calls `list_recordings`.
    pub fn list(&self) -> List<Recording> {
        let recordings = self.clone();
        List::new("list_recordings", move || {
            let session = recordings.session.clone();
            Call::new(&recordings.client, |api| fetch(api, session))
        })
    }

    /// Waits until there is a recording: await it for the list.
    ///
    /// End the session first: while it runs there is none. It is in progress while the service
    /// answers with 404 or an empty list, so that of a session that does not exist, or is not
    /// recorded, it waits to the deadline.
    ///
    /// # Errors
    /// [`is_deadline`](crate::Error::is_deadline) after 10 minutes, unless set otherwise; what a call
    /// may fail with.
    ///
    /// Calls `list_recordings` for each poll.
    pub fn ready(&self) -> Poller<Vec<Recording>, Vec<Recording>> {
        let session = self.session.clone();
        let wait = Wait::new(
            PollKind::Recordings,
            vec![session.to_string()],
            move |api| fetch_if_any(api, session.clone()),
            |recordings| place(recordings),
            |recordings: &Vec<Recording>| verdict(recordings),
        );
        Poller::new(&self.client, wait)
    }

    /// Fetches the primary recording, a video in MP4.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none, or none yet.
    ///
    /// Calls `fetch_primary_recording`.
    pub fn fetch_primary(&self) -> Call<Download> {
        let session = self.session.clone();
        let name = format!("session-{session}.mp4");
        let call = Call::new(&self.client, move |api| async move {
            Ok(api
                .fetch_primary_recording()
                .session_id(session)
                .send()
                .await?)
        });
        Download::of(call).and_then(|download| Ok(download.named(name)))
    }

    /// Fetches a recording of the list. The key is sent if it lies with the API itself, and to no
    /// other server.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the API told no link.
    pub fn fetch(&self, recording: &Recording) -> Call<Download> {
        self.client.recordings().fetch(recording)
    }

    /// Deletes a recording.
    ///
    /// # Errors
    /// A status 400 if the session is not recorded.
    ///
    /// Calls `delete_recording`.
    pub fn delete(&self, recording: impl Into<RecordingId>) -> Call<()> {
        let (session, recording) = (self.session.clone(), recording.into());
        Call::new(&self.client, move |api| async move {
            let call = api.delete_recording().session_id(session);
            Ok(call.recording_id(recording).send().await?.map(drop))
        })
    }

    /// Deletes the primary recording.
    ///
    /// Calls `delete_recording`.
    pub fn delete_primary(&self) -> Call<()> {
        self.delete("primary")
    }

    /// Pauses the recording of the running session.
    ///
    /// It is not repeated if its outcome is unknown.
    ///
    /// Calls `pause_recording`.
    pub fn pause(&self) -> Call<()> {
        let session = self.session.clone();
        Call::new(&self.client, move |api| async move {
            let answer = api.pause_recording().session_id(session).send().await?;
            Ok(answer.map(drop))
        })
    }

    /// Continues the recording of the running session.
    ///
    /// It is not repeated if its outcome is unknown.
    ///
    /// Calls `resume_recording`.
    pub fn resume(&self) -> Call<()> {
        let session = self.session.clone();
        Call::new(&self.client, move |api| async move {
            let answer = api.resume_recording().session_id(session).send().await?;
            Ok(answer.map(drop))
        })
    }
}

async fn fetch(
    api: anchorbrowser_api::Client,
    session: SessionId,
) -> Result<ResponseValue<Vec<Recording>>> {
    listed(api.list_recordings().session_id(session).send().await?)
}

fn listed(
    answer: ResponseValue<types::RecordingListResponse>,
) -> Result<ResponseValue<Vec<Recording>>> {
    answer.open("data.items", |answer| {
        let items = answer.data.take()?.items;
        Some(items.into_iter().map(Recording::new).collect())
    })
}

/// As [`fetch`], but that there is none yet is an empty list.
async fn fetch_if_any(
    api: anchorbrowser_api::Client,
    session: SessionId,
) -> Result<ResponseValue<Vec<Recording>>> {
    match api.list_recordings().session_id(session).send().await {
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
            let none = ResponseValue::accepted("list_recordings", &error, Vec::new());
            none.ok_or_else(|| error.into())
        }
        answer => listed(answer?),
    }
}

fn place(recordings: &[Recording]) -> Place {
    Place::new(match recordings.is_empty() {
        true => "no recording",
        false => "recorded",
    })
}

/// The service tells no state of a recording: one that is listed can be fetched.
fn verdict(recordings: &[Recording]) -> Verdict<Vec<Recording>> {
    match recordings.is_empty() {
        true => Verdict::InProgress,
        false => Verdict::Done(recordings.to_vec()),
    }
}

/// The recordings of a session, when there are any.
impl Awaited for Vec<Recording> {
    type Progress = Self;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, Self>> {
        let [session] = token.expect(PollKind::Recordings)?;
        Ok(client.recordings().ready(session))
    }
}

impl sealed::Sealed for Vec<Recording> {}

/// A recording of a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// Whether it is the one that [`SessionRecordings::fetch_primary`] fetches.
    pub is_primary: Option<bool>,
    /// The name to save it under.
    pub file_name: Option<String>,
    /// Its length in bytes.
    pub size: Option<u64>,
    /// How long it is, if the API tells it as seconds or as `hours:minutes:seconds`.
    pub duration: Option<Duration>,
    /// How long it is, as the API writes it: the form is not documented.
    pub duration_text: Option<String>,
    /// Where [`SessionRecordings::fetch`] fetches it. It may be a signed URL.
    pub link: Option<Secret>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

impl Recording {
    fn new(item: types::RecordingItem) -> Self {
        Self {
            id: item.id.unwrap_or_default().into(),
            is_primary: item.is_primary,
            file_name: item.suggested_file_name,
            size: item.size.map(|size| size as u64),
            duration: item.duration.as_deref().and_then(seconds),
            duration_text: item.duration,
            link: item.file_link.map(Secret::from),
            created_at: item.created_at,
        }
    }
}

/// A length of time written as `5.25`, `1:05` or `1:01:05`.
fn seconds(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    for part in text.trim().split(':') {
        let number: f64 = part.parse().ok()?;
        seconds = seconds * 60.0 + number;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_if_its_form_is_known() {
        for (text, millis) in [
            ("5.25", Some(5_250)),
            ("0", Some(0)),
            ("1:05", Some(65_000)),
            ("01:01:05.5", Some(3_665_500)),
            ("5s", None),
            ("", None),
            ("1:", None),
            ("-1", None),
            ("nan", None),
            ("inf", None),
        ] {
            assert_eq!(seconds(text), millis.map(Duration::from_millis), "{text}");
        }
    }
}
