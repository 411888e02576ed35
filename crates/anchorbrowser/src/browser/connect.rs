//! Connecting `chromiumoxide`.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use chromiumoxide::cdp::browser_protocol::target::{GetTargetsParams, TargetId};
use chromiumoxide::error::CdpError as OxideError;
use chromiumoxide::handler::{Handler, HandlerConfig};
use chromiumoxide::{Browser, Page};
use futures_util::StreamExt as _;
use futures_util::future::select;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::relay::{Relay, pump};
use super::{ConnectedBrowser, OPERATION, Task, Tasks};
use crate::Session;
use crate::call::{Answer, Call};
use crate::cdp::{Endpoint, after};
use crate::error::{Error, ErrorKind, Result};
use crate::sessions::{CreateSession, OwnedSession};

/// How long connecting may take, unless the caller says otherwise.
const LIMIT: Duration = Duration::from_secs(30);

/// How long to wait before the next look whether a page is attached.
const LOOK: Duration = Duration::from_millis(5);

/// `chromiumoxide` that is to be connected to a session; see [`Session::connect`]. Await it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct ConnectBrowser {
    pub(super) session: Session,
    limit: Duration,
    config: HandlerConfig,
}

impl Session {
    /// Connects `chromiumoxide` to the session's browser.
    ///
    /// ```no_run
    /// # async fn example(session: anchorbrowser::Session) -> Result<(), Box<dyn std::error::Error>> {
    /// let browser = session.connect().await?;
    /// browser.page().goto("https://example.com").await?;
    /// println!("{:?}", browser.page().get_title().await?);
    /// browser.end().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::cdp`]; also [`is_timeout`](Error::is_timeout) if there is no page to drive after
    /// 30 seconds.
    #[cfg_attr(docsrs, doc(cfg(feature = "chromiumoxide")))]
    pub fn connect(&self) -> ConnectBrowser {
        let config = HandlerConfig {
            // Certificates are judged, and the window is, as the session was created.
            ignore_https_errors: false,
            viewport: None,
            ..HandlerConfig::default()
        };
        ConnectBrowser {
            session: self.clone(),
            limit: LIMIT,
            config,
        }
    }
}

impl CreateSession {
    /// Creates the session and connects `chromiumoxide` to it. The session lives until it is ended,
    /// or until one of its limits; if connecting fails, it is ended.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let browser = client.sessions().create().headless(true).create_and_connect().await?;
    /// browser.page().goto("https://example.com").await?;
    /// browser.end().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send), and as [`Session::connect`].
    ///
    /// Calls `create_session`; if connecting fails, `delete_session`.
    #[cfg_attr(docsrs, doc(cfg(feature = "chromiumoxide")))]
    pub fn create_and_connect(self) -> Call<ConnectedBrowser> {
        Call::from_future(async move {
            let answer = self.create_and_connect_owned().with_meta().await?;
            let (session, browser) = answer.value;
            session.keep();
            Ok(Answer {
                value: browser,
                meta: answer.meta,
            })
        })
    }

    /// Creates the session and connects `chromiumoxide` to it. The guard ends the session, as that of
    /// [`send_owned`](Self::send_owned) does.
    ///
    /// # Errors
    /// As [`create_and_connect`](Self::create_and_connect).
    ///
    /// Calls `create_session`, and later `delete_session`.
    #[cfg_attr(docsrs, doc(cfg(feature = "chromiumoxide")))]
    pub fn create_and_connect_owned(self) -> Call<(OwnedSession, ConnectedBrowser)> {
        Call::from_future(async move {
            let answer = self.send_owned().with_meta().await?;
            let session = answer.value;
            match session.connect().await {
                Ok(browser) => Ok(Answer {
                    value: (session, browser),
                    meta: answer.meta,
                }),
                Err(error) => {
                    session.close().await;
                    Err(error)
                }
            }
        })
    }
}

impl ConnectBrowser {
    /// How long connecting may take, to the page that can be driven; default 30 seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The settings of `chromiumoxide`. By default they are its own, but for two that leave the browser
    /// as the session was created: `ignore_https_errors` is off, and `viewport` is `None`.
    pub fn config(mut self, config: HandlerConfig) -> Self {
        self.config = config;
        self
    }

    /// Opens it, and adopts this page if it is there; otherwise the first one.
    pub(super) async fn open(self, page: Option<&TargetId>) -> Result<ConnectedBrowser> {
        let at = after(self.limit);
        let limit = self.limit;
        match timeout_at(at, self.open_unlimited(page)).await {
            Ok(opened) => opened,
            Err(_) => {
                let message = format!(
                    "no page could be driven within {limit:?}; allow more time, or check the network"
                );
                Err(Error::new(ErrorKind::Timeout, message).of(OPERATION))
            }
        }
    }

    async fn open_unlimited(self, page: Option<&TargetId>) -> Result<ConnectedBrowser> {
        let endpoint = Endpoint::new(&self.session, None)?;
        let remote = endpoint.connect(Some(self.limit)).await?;
        let local = |error| {
            let message = "no connection could be made on loopback, where `chromiumoxide` connects";
            Error::new(ErrorKind::Connect, message)
                .with_source(error)
                .of(OPERATION)
        };
        let relay = Relay::bind().await.map_err(local)?;
        let url = relay.url().map_err(local)?;
        let relay = async move {
            match relay.accept().await {
                Ok(stream) => pump(stream, remote).await,
                Err(error) => {
                    tracing::warn!(target: "anchorbrowser", %error, "nothing was relayed to the browser");
                }
            }
        };
        let relay = Task::spawn(relay);
        let connected = Browser::connect_with_config(url, self.config.clone()).await;
        let (browser, handler) = connected.map_err(failed)?;
        let (sender, alive) = watch::channel(());
        let tasks = Tasks {
            _handler: Task::spawn(drive(handler, relay, sender)),
            alive,
        };
        let page = adopt(&browser, page).await?;
        Ok(ConnectedBrowser {
            browser,
            page,
            connect: self,
            tasks,
        })
    }
}

impl IntoFuture for ConnectBrowser {
    type Output = Result<ConnectedBrowser>;
    type IntoFuture = Call<ConnectedBrowser>;

    fn into_future(self) -> Call<ConnectedBrowser> {
        Call::from_future(async move {
            let begin = Instant::now();
            let browser = self.open(None).await?;
            Ok(Answer::opened(OPERATION, browser, begin.elapsed()))
        })
    }
}

/// The event loop of `chromiumoxide`. Only a connection that is lost ends it: other errors are of
/// single messages. It does not tell of a connection that the server closes in order: the relay does.
async fn drive(mut handler: Handler, mut relay: Task, _alive: watch::Sender<()>) {
    let lost = async {
        loop {
            match handler.next().await {
                None | Some(Err(OxideError::Ws(_) | OxideError::Io(_))) => return,
                Some(_) => {}
            }
        }
    };
    select(pin!(lost), pin!(relay.ended())).await;
}

/// The page that is wanted, or else the first that the browser lists, or else a new one.
/// `Browser::pages` shows none before they are attached to, and `Browser::fetch_targets` attaches to
/// each a second time.
async fn adopt(browser: &Browser, wanted: Option<&TargetId>) -> Result<Page> {
    let targets = browser.execute(GetTargetsParams::default()).await;
    let targets = targets.map_err(failed)?.result.target_infos.into_iter();
    let pages = targets.filter(|target| {
        let is_devtools = target.url.starts_with("devtools://");
        target.r#type == "page" && !is_devtools
    });
    let mut ids: Vec<_> = pages.map(|page| page.target_id).collect();
    // The sort is stable.
    ids.sort_by_key(|id| Some(id) != wanted);
    match ids.into_iter().next() {
        Some(id) => attached(browser, id).await,
        None => browser.new_page("about:blank").await.map_err(failed),
    }
}

async fn attached(browser: &Browser, id: TargetId) -> Result<Page> {
    loop {
        match browser.get_page(id.clone()).await {
            Err(OxideError::NotFound) => tokio::time::sleep(LOOK).await,
            page => return page.map_err(failed),
        }
    }
}

/// A failure of `chromiumoxide`. It knows neither key nor URL.
fn failed(error: OxideError) -> Error {
    let kind = match &error {
        OxideError::Timeout => ErrorKind::Timeout,
        _ => ErrorKind::Transport,
    };
    let message = "the browser could not be driven; was the connection lost?";
    Error::new(kind, message).with_source(error).of(OPERATION)
}
