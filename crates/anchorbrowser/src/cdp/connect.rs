//! Opening a connection.

use std::future::IntoFuture;
use std::time::Duration;

use anchorbrowser_api::wire::Secret;
use reqwest::{Upgraded, Url};
use tokio::time::Instant;

use super::connection::CdpConnection;
use super::keep_alive::KeepAlive;
use super::{OPERATION, events};
use crate::call::{Answer, Call};
use crate::error::{Error, Result};
use crate::socket::{self, Opening, Redact};
use crate::{Client, PageId, Session};

/// The longest message that is taken, in bytes.
const LONGEST: usize = 256 << 20;

/// Bytes of each of the socket's two buffers; a longer message makes its own room.
const BUFFER: usize = 64 << 10;

/// How long a command waits for its answer, unless the caller says otherwise.
const COMMAND: Duration = Duration::from_secs(60);

/// A connection to a session's browser that is to be opened; see [`Session::cdp`]. Await it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct ConnectCdp {
    session: Session,
    page: Option<PageId>,
    limit: Option<Duration>,
    command_limit: Duration,
    event_buffer: usize,
}

impl Session {
    /// Opens a connection to the session's browser that speaks the Chrome DevTools Protocol.
    ///
    /// ```no_run
    /// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
    /// let cdp = session.cdp().await?;
    /// let version = cdp.send("Browser.getVersion", ()).await?;
    /// println!("{}", version["product"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found), [`is_unauthorized`](Error::is_unauthorized) or another
    /// status if the service refuses it; [`is_connect`](Error::is_connect) or
    /// [`is_timeout`](Error::is_timeout) if it cannot be opened, or not in time.
    ///
    /// Opens a WebSocket at the [`cdp_url`](Self::cdp_url), which is no operation of the document.
    #[cfg_attr(docsrs, doc(cfg(feature = "cdp")))]
    pub fn cdp(&self) -> ConnectCdp {
        ConnectCdp {
            session: self.clone(),
            page: None,
            limit: None,
            command_limit: COMMAND,
            event_buffer: events::CAPACITY,
        }
    }

    /// Holds a CDP connection, so that the session does not end by its idle timeout: the time counts
    /// from the last disconnect. It is held until the guard is dropped, which does not end the
    /// session.
    ///
    /// A connection that is lost is opened again, with pauses. If it cannot be opened, that is
    /// logged, and tried again as long as it may help; see [`KeepAlive::attached`].
    ///
    /// ```no_run
    /// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
    /// let alive = session.keep_alive();
    /// // .. an hour of work that does not touch the browser ..
    /// drop(alive);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "cdp")))]
    pub fn keep_alive(&self) -> KeepAlive {
        KeepAlive::new(self)
    }
}

impl ConnectCdp {
    /// Connects to one page instead of the browser: its id is that of
    /// [`session.pages()`](Session::pages). Commands then go to the page as they are.
    pub fn page(mut self, id: impl Into<PageId>) -> Self {
        self.page = Some(id.into());
        self
    }

    /// How long opening may take; default 20 seconds. The client's
    /// [`operation_timeout`](crate::ClientBuilder::operation_timeout) limits it too.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How long a command waits for its answer; default 60 seconds. See
    /// [`Command::timeout`](super::Command::timeout) for one command.
    pub fn command_timeout(mut self, limit: Duration) -> Self {
        self.command_limit = limit;
        self
    }

    /// How many events are kept for a reader that is slow; default 1024. Of more, the oldest are
    /// dropped, and the reader is told how many.
    pub fn event_buffer(mut self, count: usize) -> Self {
        self.event_buffer = count.max(1);
        self
    }

    /// Opens it, and waits without an async runtime of the caller's.
    ///
    /// # Errors
    /// As [`Session::cdp`].
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> Result<CdpConnection> {
        self.into_future().blocking()
    }

    async fn open(self) -> Result<CdpConnection> {
        let endpoint = Endpoint::new(&self.session, self.page.as_ref())?;
        let connection = endpoint.connect(self.limit).await?;
        let socket = socket::framed(connection, LONGEST, BUFFER).await;
        Ok(CdpConnection::start(
            socket,
            endpoint.redact,
            self.command_limit,
            self.event_buffer,
        ))
    }
}

impl IntoFuture for ConnectCdp {
    type Output = Result<CdpConnection>;
    type IntoFuture = Call<CdpConnection>;

    fn into_future(self) -> Call<CdpConnection> {
        Call::from_future(async move {
            let begin = Instant::now();
            let connection = self.open().await?;
            Ok(Answer::opened(OPERATION, connection, begin.elapsed()))
        })
    }
}

/// Where a browser listens.
pub(crate) struct Endpoint {
    client: Client,
    url: Secret,
    /// What texts of the server's are shown without.
    redact: Redact,
}

impl Endpoint {
    /// That of a session's browser, or of one page.
    pub(crate) fn new(session: &Session, page: Option<&PageId>) -> Result<Self> {
        let url = session.cdp_url().expose();
        let url = match page {
            Some(page) => page_url(url, page)?,
            None => Secret::from(url),
        };
        let mut shown = vec![session.id().as_str()];
        shown.extend(page.map(PageId::as_str));
        Ok(Self {
            redact: Redact::new(session.client(), &url, &shown),
            client: session.client().clone(),
            url,
        })
    }

    /// The connection, which speaks WebSocket from here on.
    pub(crate) async fn connect(&self, limit: Option<Duration>) -> Result<Upgraded> {
        let opening = Opening {
            operation: OPERATION,
            url: &self.url,
            limit: socket::limit(&self.client, limit),
            redact: &self.redact,
        };
        let opened = opening.connect_by(&self.client).await;
        opened.map_err(|error| Error::from(error).of(OPERATION))
    }
}

/// Of a browser's address that of one of its pages: the same but for the path.
fn page_url(url: &str, page: &PageId) -> Result<Secret> {
    let refuse = |message| Err(Error::invalid(OPERATION, message));
    if page.as_str().is_empty() {
        return refuse("the page's id is empty: see `session.pages()`");
    }
    let Ok(mut url) = Url::parse(url) else {
        return refuse("the session's CDP URL is no URL");
    };
    let Ok(mut path) = url.path_segments_mut() else {
        return refuse("the session's CDP URL has no host");
    };
    path.pop_if_empty()
        .extend(["devtools", "page", page.as_str()]);
    drop(path);
    Ok(Secret::from(url.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_browsers_address_but_for_the_path() -> Result<()> {
        for (url, id, expected) in [
            (
                "wss://h.example/?apiKey=k%2F1&sessionId=s",
                "A1",
                "wss://h.example/devtools/page/A1?apiKey=k%2F1&sessionId=s",
            ),
            (
                "ws://127.0.0.1:1/prefix/?sessionId=s",
                "a/../b?c",
                "ws://127.0.0.1:1/prefix/devtools/page/a%2F..%2Fb%3Fc?sessionId=s",
            ),
        ] {
            assert_eq!(page_url(url, &PageId::from(id))?.expose(), expected);
        }
        assert!(page_url("ws://h.example/", &PageId::from("")).is_err());
        let error = page_url("canary", &PageId::from("A1")).unwrap_err();
        assert!(!error.to_string().contains("canary"));
        Ok(())
    }

    /// As a plain file the page shows brackets around a name that has no link.
    #[test]
    fn the_docs_have_the_defaults_and_say_where_each_name_leads() {
        let page = include_str!("../../docs/browsers.md");
        for name in page.split("[`").skip(1) {
            let (name, _) = name.split_once("`]").unwrap();
            assert!(page.contains(&format!("\n[`{name}`]: crate::")), "{name}");
        }
        for default in [
            format!("a limit of {} seconds, unless set", COMMAND.as_secs()),
            format!("a queue of {} for each reader", events::CAPACITY),
            format!("up to {} MiB long", LONGEST >> 20),
        ] {
            assert!(page.contains(&default), "{default}");
        }
    }
}
