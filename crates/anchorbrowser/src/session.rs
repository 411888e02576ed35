//! A handle on one session.

pub mod control;
mod files;

use std::fmt;

use anchorbrowser_api::{ResponseValue, types};

use crate::call::Call;
use crate::error::{Error, Open as _, Result};
use crate::sessions::{PageInfo, SessionInfo};
use crate::{CdpUrl, Client, LiveViewUrl, SessionId};

pub use files::DownloadedFile;

/// A handle on a session: a browser in the cloud.
///
/// It is cheap to clone. Dropping it does not end the session; see
/// [`OwnedSession`](crate::sessions::OwnedSession) for one that ends itself.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let session = client.sessions().create().send().await?;
/// session.goto("https://example.com").await?;
/// session.keyboard().type_text("hello").send().await?;
/// session.screenshot().await?.save_to("page.png").await?;
/// session.end().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    client: Client,
    id: SessionId,
    cdp_url: CdpUrl,
    live_view_url: Option<LiveViewUrl>,
}

impl Session {
    /// A session that exists, with the addresses that are known. Its CDP address is made from the id
    /// and the client's key otherwise.
    pub(crate) fn at(
        client: &Client,
        id: SessionId,
        cdp: Option<CdpUrl>,
        live_view: Option<LiveViewUrl>,
    ) -> Self {
        Self {
            cdp_url: cdp.unwrap_or_else(|| client.api().cdp_url(id.as_str()).into()),
            client: client.clone(),
            id,
            live_view_url: live_view,
        }
    }

    /// The session that `create_session` answers with.
    pub(crate) fn created(
        client: &Client,
        answer: ResponseValue<types::SessionCreateResponseSchema>,
    ) -> Result<ResponseValue<Self>> {
        answer.open("data.id", |answer| {
            let data = answer.data.take()?;
            let (cdp, live_view) = (data.cdp_url, data.live_view_url);
            let (cdp, live_view) = (cdp.map(Into::into), live_view.map(Into::into));
            Some(Self::at(client, data.id?.into(), cdp, live_view))
        })
    }

    /// The session's id.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// The client that calls for this session.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where a driver that speaks the Chrome DevTools Protocol connects to. It holds the API key.
    ///
    /// Of a session that was not created by this handle, it is made from the id and the client's
    /// key, in the form that the service uses.
    pub fn cdp_url(&self) -> &CdpUrl {
        &self.cdp_url
    }

    /// The page that shows the browser; `None` for a session that was not created by this handle.
    pub fn live_view_url(&self) -> Option<&LiveViewUrl> {
        self.live_view_url.as_ref()
    }

    /// Ends the session: the browser closes, and its profile is stored if that was asked for.
    /// It does not wait for the client's concurrency limit.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is no such session. The service does not say whether ending
    /// one that has ended before is an error; [`OwnedSession::end`](crate::sessions::OwnedSession::end)
    /// takes it for none.
    ///
    /// Calls `delete_session`.
    pub fn end(&self) -> Call<()> {
        let id = self.id.clone();
        Call::new(&self.client, move |api| async move {
            let answer = api.delete_session().session_id(id).send().await?;
            Ok(answer.map(drop))
        })
    }

    /// What the service knows of the session. The same as
    /// [`sessions().get(id)`](crate::sessions::Sessions::get).
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is no such session.
    ///
    /// Calls `get_session`.
    pub fn info(&self) -> Call<SessionInfo> {
        let id = self.id.clone();
        Call::new(&self.client, move |api| async move {
            let answer = api.get_session().session_id(id).send().await?;
            answer.open("data.session_id", |answer| {
                SessionInfo::new(answer.data.take()?)
            })
        })
    }

    /// The pages (the tabs) that are open in the browser.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is no such session, or it has ended.
    ///
    /// Calls `get_session_pages`.
    pub fn pages(&self) -> Call<Vec<PageInfo>> {
        let id = self.id.clone();
        Call::new(&self.client, move |api| async move {
            let answer = api.get_session_pages().session_id(id).send().await?;
            answer.open("data.items", |answer| {
                let items = answer.data.take()?.items;
                Some(items.into_iter().map(PageInfo::new).collect())
            })
        })
    }

    /// The tags that the session carries.
    ///
    /// Calls `get_session_tags`.
    pub fn tags(&self) -> Call<Vec<String>> {
        let id = self.id.clone();
        Call::new(&self.client, move |api| async move {
            let answer = api.get_session_tags().session_id(id).send().await?;
            Ok(answer.map(|answer| answer.tags))
        })
    }

    /// Gives the session these tags, in place of all that it has.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service answers that it did not succeed.
    ///
    /// Calls `put_session_tags`.
    pub fn set_tags(&self, tags: impl IntoIterator<Item = impl Into<String>>) -> Call<()> {
        let id = self.id.clone();
        let tags = tags.into_iter().map(Into::into).collect();
        Call::new(&self.client, move |api| async move {
            let body = types::PutSessionTags::new(tags);
            let call = api.put_session_tags().session_id(id).body(body);
            tags_changed(call.send().await?)
        })
    }

    /// Removes all tags from the session.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service answers that it did not succeed.
    ///
    /// Calls `delete_session_tags`.
    pub fn clear_tags(&self) -> Call<()> {
        let id = self.id.clone();
        Call::new(&self.client, move |api| async move {
            let call = api.delete_session_tags().session_id(id);
            tags_changed(call.send().await?)
        })
    }
}

/// The API answers a change of tags with whether it succeeded.
fn tags_changed(
    answer: ResponseValue<types::SessionTagsMutationResponse>,
) -> Result<ResponseValue<()>> {
    if answer.success == Some(false) {
        let reason = answer.message.as_deref();
        return Err(Error::failed(&answer, "the tags were not changed", reason));
    }
    Ok(answer.map(drop))
}

/// Prints no secret.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("cdp_url", &self.cdp_url)
            .field("live_view_url", &self.live_view_url)
            .finish_non_exhaustive()
    }
}

impl From<&Session> for SessionId {
    fn from(session: &Session) -> Self {
        session.id.clone()
    }
}
