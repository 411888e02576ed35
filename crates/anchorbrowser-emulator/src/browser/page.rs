//! What is done to a page of a browser.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tokio::sync::broadcast::{self, error::RecvError};

use super::cdp::{CLOSED, CdpError, Event};
use super::running::Running;
use crate::answer::Refusal;

/// How long a page may take to load before going there has failed.
const LOADING: Duration = Duration::from_secs(30);

/// How long a page may take to be prepared. One that is held up by somebody else takes as long as they like.
const PREPARING: Duration = Duration::from_secs(5);

/// How long after one another a page is asked for what it can't give yet.
const PAUSE: Duration = Duration::from_millis(50);

/// Waits in the page until it has loaded.
const LOADED: &str = "() => document.readyState === 'complete'
    || new Promise((done) => addEventListener('load', () => done(true), { once: true }))";

/// A page that the emulator is attached to.
pub(crate) struct Page {
    pub(super) running: Arc<Running>,
    /// The target.
    pub(crate) id: String,
    /// The session in which it is attached.
    pub(super) session: String,
}

/// Where going to a URL has led.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// To a page, by this loader.
    Page(String),
    /// To another place in the same page.
    Within,
    /// To a download; the page stays.
    Download,
}

/// Why a URL could not be gone to.
#[derive(Debug, thiserror::Error)]
pub(super) enum Astray {
    #[error("the page could not be opened: {0}")]
    Unreachable(String),
    #[error("the page did not load within {} seconds", LOADING.as_secs())]
    Slow,
    #[error(transparent)]
    Cdp(#[from] CdpError),
}

impl From<Astray> for Refusal {
    fn from(astray: Astray) -> Self {
        Self::new(500, astray.to_string())
    }
}

impl Running {
    /// The page that is in front: the one that was opened last.
    pub(crate) async fn page(self: &Arc<Self>) -> Result<Page, CdpError> {
        let tab = match self.tabs().pop() {
            Some(tab) => tab.id,
            None => self.open_tab().await?,
        };
        self.attach(tab).await
    }

    /// A tab where there is none.
    async fn open_tab(&self) -> Result<String, CdpError> {
        let blank = json!({ "url": "about:blank" });
        let made = self.cdp.call(None, "Target.createTarget", blank).await?;
        Ok(made["targetId"].as_str().unwrap_or_default().to_owned())
    }

    /// The page with this id.
    pub(crate) async fn attach(self: &Arc<Self>, id: String) -> Result<Page, CdpError> {
        let mut attached = self.attached.lock().await;
        if let Some(session) = attached.get(&id) {
            let session = session.clone();
            return Ok(self.attached_page(id, session));
        }
        let target = json!({ "targetId": id, "flatten": true });
        let done = self.cdp.call(None, "Target.attachToTarget", target).await?;
        let session = done["sessionId"].as_str().unwrap_or_default().to_owned();
        attached.insert(id.clone(), session.clone());
        let page = self.attached_page(id, session);
        if !matches!(
            tokio::time::timeout(PREPARING, page.prepare()).await,
            Ok(Ok(()))
        ) {
            tracing::debug!(page = page.id, "a page could not be prepared");
        }
        Ok(page)
    }

    fn attached_page(self: &Arc<Self>, id: String, session: String) -> Page {
        Page {
            running: Arc::clone(self),
            id,
            session,
        }
    }

    /// A session with a page has ended.
    pub(super) async fn detached(&self, session: &str) {
        self.attached
            .lock()
            .await
            .retain(|_, known| known != session);
    }
}

impl Page {
    /// Sends a command to the page.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, CdpError> {
        let session = Some(self.session.as_str());
        self.running.cdp.call(session, method, params).await
    }

    /// Has the page tell what must be looked after, and lets it be used when it is not in front.
    async fn prepare(&self) -> Result<(), CdpError> {
        let on = json!({ "enabled": true });
        self.call("Page.enable", json!({})).await?;
        self.call("Page.setLifecycleEventsEnabled", on.clone())
            .await?;
        self.call("Page.setInterceptFileChooserDialog", on.clone())
            .await?;
        // Without it, a page behind another draws nothing and takes no input.
        self.call("Emulation.setFocusEmulationEnabled", on).await?;
        Ok(())
    }

    /// Makes the window such that the page has this size.
    pub(super) async fn resize(&self, (width, height): (u32, u32)) {
        let cdp = &self.running.cdp;
        let window = json!({ "targetId": self.id });
        let resized = async {
            let window = cdp.call(None, "Browser.getWindowForTarget", window).await?;
            let size = json!({ "windowId": window["windowId"], "width": width, "height": height });
            cdp.call(None, "Browser.setContentsSize", size).await
        };
        if let Err(error) = resized.await {
            tracing::debug!(%error, "the window keeps its size");
        }
    }

    /// What shows of it, as PNG.
    pub(crate) async fn screenshot(&self) -> Result<Vec<u8>, Refusal> {
        self.capture(json!({ "format": "png" })).await
    }

    /// A picture with options of `Page.captureScreenshot`. While one page gives way to another, there is none for a moment.
    pub(super) async fn capture(&self, how: Value) -> Result<Vec<u8>, Refusal> {
        let began = Instant::now();
        loop {
            let taken = self.call("Page.captureScreenshot", how.clone()).await;
            match taken {
                Err(CdpError::Refused { message, .. })
                    if message.contains("active page") && began.elapsed() < PREPARING =>
                {
                    tokio::time::sleep(PAUSE).await;
                }
                taken => return decoded(&taken?["data"]),
            }
        }
    }

    /// Opens a URL, and waits until the page has loaded.
    pub(crate) async fn goto(&self, url: &str) -> Result<(), Refusal> {
        self.go(url).await?;
        Ok(())
    }

    /// Opens a URL, and says what that led to.
    pub(super) async fn go(&self, url: &str) -> Result<Arrival, Astray> {
        let going = async {
            let mut events = self.running.cdp.events();
            let done = self.call("Page.navigate", json!({ "url": url })).await?;
            // A download is no page, and was begun all the same.
            if done["isDownload"] == true {
                return Ok(Arrival::Download);
            }
            match done["errorText"].as_str().unwrap_or_default() {
                "" => {}
                // The server had nothing to show, or the page has gone elsewhere by itself.
                "net::ERR_ABORTED" => return Ok(Arrival::Within),
                error => return Err(Astray::Unreachable(error.to_owned())),
            }
            let Some(loader) = done["loaderId"].as_str() else {
                return Ok(Arrival::Within);
            };
            let frame = done["frameId"].as_str().unwrap_or_default();
            Ok(Arrival::Page(
                self.loaded(&mut events, frame, loader).await?,
            ))
        };
        match tokio::time::timeout(LOADING, going).await {
            Ok(Err(Astray::Cdp(CdpError::Slow { .. }))) | Err(_) => Err(Astray::Slow),
            Ok(arrival) => arrival,
        }
    }

    /// Waits until the page of a loader has loaded. Where it goes on to another one by itself, until that has.
    async fn loaded(
        &self,
        events: &mut broadcast::Receiver<Arc<Event>>,
        frame: &str,
        loader: &str,
    ) -> Result<String, CdpError> {
        let (mut loader, mut seen) = (loader.to_owned(), false);
        loop {
            let event = match events.recv().await {
                Ok(event) => event,
                Err(RecvError::Closed) => return Err(CdpError::Gone),
                // The one that matters may be among those that were missed.
                Err(RecvError::Lagged(_)) => {
                    self.own_world(LOADED, &Value::Null).await?;
                    return Ok(loader);
                }
            };
            if event.detached() == Some(&self.session) {
                return Err(CdpError::Refused {
                    method: "Page.navigate".to_owned(),
                    message: CLOSED.to_owned(),
                });
            }
            let of_page = event.session.as_deref() == Some(self.session.as_str())
                && event.text("/frameId") == Some(frame);
            if !of_page || event.method != "Page.lifecycleEvent" {
                continue;
            }
            let now = event.text("/loaderId").unwrap_or_default();
            match event.text("/name") {
                _ if now == loader => {
                    seen = true;
                    if event.text("/name") == Some("load") {
                        return Ok(loader);
                    }
                }
                Some("init") if seen => now.clone_into(&mut loader),
                _ => {}
            }
        }
    }
}

/// Bytes that the protocol writes in base64.
pub(crate) fn decoded(data: &Value) -> Result<Vec<u8>, Refusal> {
    let data = data.as_str().unwrap_or_default();
    BASE64
        .decode(data)
        .map_err(|_| Refusal::new(500, "the browser sent what can't be read"))
}
