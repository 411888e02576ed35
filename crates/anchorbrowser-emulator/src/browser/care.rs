//! What goes on in a browser without being asked for: dialogs are answered, file choosers get their file, downloads are
//! taken in.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde_json::json;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;

use super::cdp::Event;
use super::downloads::Downloads;
use super::mouse::Pointer;
use super::running::Running;
use crate::shared::lock;

/// How long a dialog is left to clients that are connected: they may have an answer, or not know of dialogs at all.
const GRACE: Duration = Duration::from_secs(10);

/// What is known of the use of a browser.
#[derive(Default)]
pub(super) struct Use {
    /// Clients that are connected by CDP.
    clients: Arc<AtomicUsize>,
    /// The file that was uploaded last.
    upload: Mutex<Option<PathBuf>>,
    pub(super) pointer: Mutex<Pointer>,
}

/// A client that is connected, until it is dropped.
pub(super) struct Client(Arc<AtomicUsize>);

impl Drop for Client {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Use {
    /// Counts a client.
    pub(super) fn connect(&self) -> Client {
        self.clients.fetch_add(1, Ordering::AcqRel);
        Client(Arc::clone(&self.clients))
    }

    fn has_clients(&self) -> bool {
        self.clients.load(Ordering::Acquire) > 0
    }
}

impl Running {
    /// Puts a file where pages can upload it from, and gives its path. It is the one that the next file chooser gets.
    pub(crate) async fn upload(&self, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
        let path = self.uploads().join(name);
        tokio::fs::write(&path, bytes).await?;
        *lock(&self.usage.upload) = Some(path.clone());
        Ok(path)
    }
}

/// Looks after a browser until it is gone.
pub(super) struct Care {
    pub(super) running: Weak<Running>,
    pub(super) downloads: Downloads,
    /// Dialogs are answered at once, whoever is connected.
    pub(super) no_dialogs: bool,
}

impl Care {
    pub(super) async fn take(mut self, mut events: broadcast::Receiver<Arc<Event>>) {
        let mut dialogs = HashMap::new();
        loop {
            let event = match events.recv().await {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            let Some(running) = self.running.upgrade() else {
                return;
            };
            self.notice(&running, &event, &mut dialogs).await;
        }
    }

    async fn notice(
        &mut self,
        running: &Arc<Running>,
        event: &Event,
        dialogs: &mut HashMap<String, AbortHandle>,
    ) {
        let session = event.session.clone().unwrap_or_default();
        match event.method.as_str() {
            // Dialogs of a page are only told to who is attached to it.
            "Target.targetCreated" if event.text("/targetInfo/type") == Some("page") => {
                let id = event.text("/targetInfo/targetId").unwrap_or_default();
                let attaching = attach(Arc::clone(running), id.to_owned());
                tokio::spawn(attaching);
            }
            "Target.detachedFromTarget" => {
                let gone = event.text("/sessionId").unwrap_or_default();
                running.detached(gone).await;
                dialogs.remove(gone);
            }
            "Page.javascriptDialogOpening" => {
                let wait = match running.usage.has_clients() && !self.no_dialogs {
                    true => GRACE,
                    false => Duration::ZERO,
                };
                // Who goes on to another page means to leave this one.
                let accept = event.text("/type") == Some("beforeunload");
                let answering = answer(Arc::clone(running), session.clone(), wait, accept);
                dialogs.insert(session, tokio::spawn(answering).abort_handle());
            }
            "Page.javascriptDialogClosed" => {
                if let Some(answering) = dialogs.remove(&session) {
                    answering.abort();
                }
            }
            "Page.fileChooserOpened" => {
                let node = &event.params["backendNodeId"];
                let file = lock(&running.usage.upload).clone();
                if let Some(file) = file.filter(|_| !running.usage.has_clients()) {
                    let files = json!({ "files": [file], "backendNodeId": node });
                    tokio::spawn(choose(Arc::clone(running), session, files));
                }
            }
            _ => self.downloads.notice(running, event),
        }
    }
}

async fn attach(running: Arc<Running>, id: String) {
    if let Err(error) = running.attach(id).await {
        tracing::debug!(%error, "a page was gone before it was attached to");
    }
}

async fn answer(running: Arc<Running>, session: String, wait: Duration, accept: bool) {
    tokio::time::sleep(wait).await;
    let how = json!({ "accept": accept });
    let method = "Page.handleJavaScriptDialog";
    if let Err(error) = running.cdp.call(Some(&session), method, how).await {
        tracing::debug!(%error, "a dialog was answered by somebody else");
    }
}

async fn choose(running: Arc<Running>, session: String, files: serde_json::Value) {
    let method = "DOM.setFileInputFiles";
    if let Err(error) = running.cdp.call(Some(&session), method, files).await {
        tracing::debug!(%error, "a file chooser did not take the file");
    }
}
