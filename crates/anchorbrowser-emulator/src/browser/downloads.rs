//! Files that a browser downloads.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc;

use super::Report;
use super::cdp::{CdpError, Event};
use super::running::Running;
use crate::resources::recordings::{self, Arrived};

/// Bytes of the largest file that is taken in.
const LARGEST: u64 = 1 << 30;

/// Where files go that no client has another place for.
pub(super) fn place(directory: &Path) -> PathBuf {
    directory.join("downloads")
}

/// Has the browser put files there, and tell of them.
pub(super) async fn enable(running: &Running) -> Result<(), CdpError> {
    let behaviour = json!({
        "behavior": "allowAndName",
        "downloadPath": place(&running.directory),
        "eventsEnabled": true,
    });
    let method = "Browser.setDownloadBehavior";
    running.cdp.call(None, method, behaviour).await.map(drop)
}

/// Takes in what a session downloads.
pub(super) struct Downloads {
    session: String,
    /// Whether files are kept in the session. Else they lie where the browser has put them, until it goes.
    kept: bool,
    reports: mpsc::UnboundedSender<Report>,
    begun: HashMap<String, Begun>,
}

struct Begun {
    name: String,
    url: String,
    origin: String,
    at: Instant,
}

impl Downloads {
    pub(super) fn new(session: &str, kept: bool, reports: mpsc::UnboundedSender<Report>) -> Self {
        Self {
            session: session.to_owned(),
            kept,
            reports,
            begun: HashMap::new(),
        }
    }

    pub(super) fn notice(&mut self, running: &Arc<Running>, event: &Event) {
        let text = |pointer| event.text(pointer).unwrap_or_default().to_owned();
        match event.method.as_str() {
            "Browser.downloadWillBegin" if self.kept => {
                let tabs = running.tabs();
                let frame = event.text("/frameId");
                let origin = tabs.iter().find(|tab| Some(tab.id.as_str()) == frame);
                // The tab of a link that opens one may be gone already.
                let origin = origin.or(tabs.last()).map(|tab| tab.url.clone());
                let begun = Begun {
                    name: text("/suggestedFilename"),
                    url: text("/url"),
                    origin: origin.unwrap_or_default(),
                    at: Instant::now(),
                };
                self.begun.insert(text("/guid"), begun);
            }
            "Browser.downloadProgress" if event.text("/state") != Some("inProgress") => {
                let begun = self.begun.remove(&text("/guid"));
                let Some((begun, file)) = begun.zip(completed(event)) else {
                    return;
                };
                let took = begun.at.elapsed();
                let own = file.starts_with(&running.directory);
                let taking = take(file, own, begun, took, self.session.clone());
                let reports = self.reports.clone();
                tokio::spawn(async move {
                    if let Some(report) = taking.await {
                        // Without a receiver the emulator is shutting down.
                        let _ = reports.send(report);
                    }
                });
            }
            _ => {}
        }
    }
}

/// The file of a download that is complete.
fn completed(event: &Event) -> Option<PathBuf> {
    let done = event.method == "Browser.downloadProgress" && event.text("/state")? == "completed";
    done.then(|| event.text("/filePath").map(PathBuf::from))?
}

/// Reads a file. One of the emulator's own goes then; those that a client has chosen the place of stay.
async fn take(
    file: PathBuf,
    own: bool,
    begun: Begun,
    took: Duration,
    session: String,
) -> Option<Report> {
    let read = read(&file).await;
    if own {
        // With the directory it would go too.
        let _ = tokio::fs::remove_file(&file).await;
    }
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!(session, %error, "a download could not be read");
            return None;
        }
    };
    let Begun {
        name, url, origin, ..
    } = begun;
    let arrived = Arrived {
        name,
        url,
        origin: Some(origin),
        bytes,
        took,
    };
    Some(Box::new(move |world| {
        if let Err(refusal) = recordings::keep_download(world, &session, arrived) {
            let why = refusal.message;
            tracing::warn!(session, why, "a download was not kept");
        }
    }))
}

async fn read(file: &Path) -> std::io::Result<Bytes> {
    let size = tokio::fs::metadata(file).await?.len();
    if size > LARGEST {
        let error = format!("it has {size} bytes; at most {LARGEST} are taken in");
        return Err(std::io::Error::other(error));
    }
    Ok(tokio::fs::read(file).await?.into())
}

/// The name and the bytes of the next file that arrives.
pub(super) async fn next(events: &mut Receiver<Arc<Event>>) -> Option<(String, Bytes)> {
    let mut name = String::new();
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return None,
        };
        if event.method == "Browser.downloadWillBegin" {
            event.text("/suggestedFilename")?.clone_into(&mut name);
        }
        if event.method == "Browser.downloadProgress" && event.text("/state") == Some("canceled") {
            return None;
        }
        if let Some(file) = completed(&event) {
            return read(&file).await.ok().map(|bytes| (name, bytes));
        }
    }
}
