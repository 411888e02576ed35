//! What is done to a page of a browser.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::cdp::{Cdp, CdpError};
use super::running::Running;
use crate::answer::Refusal;

/// How long a page may take to load before going there has failed.
const LOADING: Duration = Duration::from_secs(30);

/// A page that the emulator is attached to.
pub(crate) struct Page {
    cdp: Cdp,
    /// The target.
    pub(crate) id: String,
    /// The session in which it is attached.
    session: String,
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
    pub(crate) async fn attach(&self, id: String) -> Result<Page, CdpError> {
        let mut attached = self.attached.lock().await;
        let session = match attached.get(&id) {
            Some(session) => session.clone(),
            None => {
                let target = json!({ "targetId": id, "flatten": true });
                let done = self.cdp.call(None, "Target.attachToTarget", target).await?;
                let session = done["sessionId"].as_str().unwrap_or_default().to_owned();
                attached.insert(id.clone(), session.clone());
                session
            }
        };
        Ok(Page {
            cdp: self.cdp.clone(),
            id,
            session,
        })
    }
}

impl Page {
    /// Sends a command to the page.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, CdpError> {
        self.cdp.call(Some(&self.session), method, params).await
    }

    /// Makes the window such that the page has this size.
    pub(super) async fn resize(&self, (width, height): (u32, u32)) {
        let window = json!({ "targetId": self.id });
        let resized = async {
            let window = self
                .cdp
                .call(None, "Browser.getWindowForTarget", window)
                .await?;
            let size = json!({ "windowId": window["windowId"], "width": width, "height": height });
            self.cdp.call(None, "Browser.setContentsSize", size).await
        };
        if let Err(error) = resized.await {
            tracing::debug!(%error, "the window keeps its size");
        }
    }

    /// What shows of it, as PNG.
    pub(crate) async fn screenshot(&self) -> Result<Vec<u8>, Refusal> {
        let format = json!({ "format": "png" });
        let shot = self.call("Page.captureScreenshot", format).await?;
        decoded(&shot["data"])
    }

    /// Opens a URL, and waits until the page has loaded.
    pub(crate) async fn goto(&self, url: &str) -> Result<(), Refusal> {
        let mut events = self.cdp.events();
        self.call("Page.enable", json!({})).await?;
        self.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true }))
            .await?;
        let done = self.call("Page.navigate", json!({ "url": url })).await?;
        if let Some(error) = done["errorText"].as_str().filter(|text| !text.is_empty()) {
            // A download is no page, and was begun all the same.
            if done["isDownload"] == true || error == "net::ERR_ABORTED" {
                return Ok(());
            }
            return Err(Refusal::new(
                500,
                format!("the page could not be opened: {error}"),
            ));
        }
        // Without a loader it only moved within the page.
        let Some(loader) = done["loaderId"].as_str() else {
            return Ok(());
        };
        let loaded = async {
            while let Ok(event) = events.recv().await {
                if event.method == "Page.lifecycleEvent"
                    && event.session.as_deref() == Some(self.session.as_str())
                    && event.text("/name") == Some("load")
                    && event.text("/loaderId") == Some(loader)
                {
                    return;
                }
            }
        };
        tokio::time::timeout(LOADING, loaded)
            .await
            .map_err(|_| Refusal::new(500, "the page did not load within 30 seconds"))
    }
}

/// Bytes that the protocol writes in base64.
pub(crate) fn decoded(data: &Value) -> Result<Vec<u8>, Refusal> {
    let data = data.as_str().unwrap_or_default();
    BASE64
        .decode(data)
        .map_err(|_| Refusal::new(500, "the browser sent what can't be read"))
}
