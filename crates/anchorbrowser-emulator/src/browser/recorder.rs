//! Takes pictures of the page in front, on a connection of its own, so that it is in nobody's way.
//!
//! Pages are shown by the browser's screencast, which costs nothing while nothing changes, but much while something does,
//! however few of its pictures are wanted. So it rests after each change.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::cdp::{Cdp, CdpError, Event};

/// Between two pictures.
const REST: Duration = Duration::from_millis(500);

/// Pictures of a session, and bytes of them: the first are kept.
const MOST: usize = 7_200;
const LARGEST: u64 = 128 << 20;

/// Pixels of a side.
pub(super) const LONGEST_SIDE: u32 = 1_280;

/// JPEG, in percent.
const QUALITY: u32 = 60;

/// The pictures of a session, as files in a directory.
#[derive(Debug)]
pub(super) struct Film {
    pub(super) directory: PathBuf,
    /// When each was taken, in recorded time: without the pauses.
    pub(super) times: Vec<Duration>,
    /// The recorded time.
    pub(super) length: Duration,
}

impl Film {
    /// The file name of a picture.
    pub(super) fn name(number: usize) -> String {
        format!("{number:05}.jpg")
    }
}

/// Records a browser until it is finished or dropped.
pub(super) struct Recorder {
    finish: oneshot::Sender<()>,
    task: JoinHandle<Option<Film>>,
}

impl Recorder {
    /// Records the browser that listens at `host` and `path`, with pictures in `directory`, which it makes.
    pub(super) fn start(
        (host, path): (String, String),
        directory: PathBuf,
        paused: watch::Receiver<bool>,
    ) -> Self {
        let (finish, finished) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut camera = match Camera::set_up(&host, &path, directory, paused).await {
                Ok(camera) => camera,
                Err(error) => {
                    tracing::warn!(%error, "a session is not recorded");
                    return None;
                }
            };
            tokio::select! {
                // Dropped or told: either way it is over.
                _ = finished => {}
                done = camera.run() => if let Err(error) = done {
                    tracing::warn!(%error, "the recording of a session ends early");
                }
            }
            Some(camera.film())
        });
        Self { finish, task }
    }

    /// What was recorded.
    pub(super) async fn finish(self) -> Option<Film> {
        let _ = self.finish.send(());
        self.task.await.ok()?
    }
}

/// Time that can be stopped.
#[derive(Default)]
struct Stopwatch {
    before: Duration,
    since: Option<Instant>,
}

impl Stopwatch {
    fn time(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn set(&mut self, runs: bool) {
        self.before = self.time();
        self.since = runs.then(Instant::now);
    }
}

type Starting = Pin<Box<dyn Future<Output = Result<Value, CdpError>> + Send>>;

struct Camera {
    cdp: Cdp,
    events: broadcast::Receiver<Arc<Event>>,
    paused: watch::Receiver<bool>,
    /// Nobody can pause it any more.
    unwatched: bool,
    directory: PathBuf,
    /// In the order in which they were opened.
    tabs: Vec<String>,
    /// The tab that it looks at, and its session when it is attached.
    target: Option<(String, Option<String>)>,
    /// Pictures come, or were asked for.
    casting: bool,
    /// The answer to that.
    starting: Option<Starting>,
    /// When they are to come again.
    resting: Option<Instant>,
    clock: Stopwatch,
    times: Vec<Duration>,
    bytes: u64,
    /// The picture before, as it came.
    last: String,
}

impl Camera {
    async fn set_up(
        host: &str,
        path: &str,
        directory: PathBuf,
        paused: watch::Receiver<bool>,
    ) -> Result<Self, CdpError> {
        let cdp = Cdp::connect(host, path).await?;
        let events = cdp.events();
        // Those that are there already are told too.
        let discover = json!({ "discover": true });
        cdp.call(None, "Target.setDiscoverTargets", discover)
            .await?;
        Ok(Self {
            cdp,
            events,
            paused,
            unwatched: false,
            directory,
            tabs: Vec::new(),
            target: None,
            casting: false,
            starting: None,
            resting: None,
            clock: Stopwatch::default(),
            times: Vec::new(),
            bytes: 0,
            last: String::new(),
        })
    }

    fn film(self) -> Film {
        Film {
            directory: self.directory,
            length: self.clock.time(),
            times: self.times,
        }
    }

    /// Until the browser is gone, or there is enough.
    async fn run(&mut self) -> io::Result<()> {
        std::fs::create_dir(&self.directory)?;
        while self.times.len() < MOST && self.bytes < LARGEST {
            self.look();
            let rest = self.resting;
            let rested = async {
                match rest {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let answered = async {
                match &mut self.starting {
                    Some(starting) => starting.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                answer = answered => {
                    self.starting = None;
                    // On its way to another site, a page refuses.
                    if answer.is_err() {
                        self.casting = false;
                        self.resting = Some(Instant::now() + REST);
                    }
                }
                changed = self.paused.changed(), if !self.unwatched => {
                    self.unwatched = changed.is_err();
                }
                () = rested => self.resting = None,
                event = self.events.recv() => match event {
                    Ok(event) => self.take(&event).await?,
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => break,
                },
            }
        }
        self.show(false);
        self.clock.set(false);
        Ok(())
    }

    /// Looks at the newest tab, unless it is paused, and has pictures come unless it rests.
    fn look(&mut self) {
        let paused = *self.paused.borrow();
        if paused == self.clock.since.is_some() {
            self.clock.set(!paused);
        }
        let front = self.tabs.last().cloned();
        if self.target.as_ref().map(|(tab, _)| tab) != front.as_ref() {
            self.let_go();
            if let Some(tab) = front {
                let target = json!({ "targetId": tab, "flatten": true });
                self.cdp.tell(None, "Target.attachToTarget", target);
                self.target = Some((tab, None));
            }
        }
        self.show(!paused && self.resting.is_none());
    }

    /// Has pictures come, or no more.
    fn show(&mut self, casting: bool) {
        let Some((_, Some(session))) = &self.target else {
            return;
        };
        if casting == self.casting {
            return;
        }
        self.casting = casting;
        self.starting = None;
        if casting {
            let (cdp, session) = (self.cdp.clone(), session.clone());
            self.starting = Some(Box::pin(async move {
                let format = json!({ "format": "jpeg", "quality": QUALITY,
                                     "maxWidth": LONGEST_SIDE, "maxHeight": LONGEST_SIDE });
                cdp.call(Some(&session), "Page.startScreencast", format)
                    .await
            }));
        } else {
            self.cdp
                .tell(Some(session), "Page.stopScreencast", json!({}));
        }
    }

    /// Turns away from a tab, which may have gone.
    fn let_go(&mut self) {
        self.show(false);
        self.resting = None;
        if let Some((_, Some(session))) = self.target.take() {
            let session = json!({ "sessionId": session });
            self.cdp.tell(None, "Target.detachFromTarget", session);
        }
    }

    async fn take(&mut self, event: &Event) -> io::Result<()> {
        let page = |pointer: &str| {
            let target = event.params.pointer(pointer)?;
            (target["type"] == "page").then(|| target["targetId"].as_str().map(str::to_owned))?
        };
        match event.method.as_str() {
            "Target.targetCreated" => self.tabs.extend(page("/targetInfo")),
            "Target.targetDestroyed" => {
                let gone = event.text("/targetId");
                self.tabs.retain(|tab| Some(tab.as_str()) != gone);
            }
            "Target.attachedToTarget" => {
                let attached = page("/targetInfo");
                if let Some((tab, session)) = &mut self.target
                    && attached.as_ref() == Some(tab)
                {
                    *session = event.text("/sessionId").map(str::to_owned);
                    self.casting = false;
                }
            }
            "Page.screencastFrame" => self.picture(event).await?,
            _ => {}
        }
        Ok(())
    }

    /// Keeps a picture that differs from the one before.
    async fn picture(&mut self, event: &Event) -> io::Result<()> {
        let session = self
            .target
            .as_ref()
            .and_then(|(_, session)| session.as_deref());
        // It may have been on the way when it was told to stop.
        let late = !self.casting || *self.paused.borrow() || event.session.as_deref() != session;
        let Some(data) = event.text("/data").filter(|_| !late) else {
            return Ok(());
        };
        if data == self.last {
            // The next comes when something changes.
            let number = json!({ "sessionId": event.params["sessionId"] });
            self.cdp.tell(session, "Page.screencastFrameAck", number);
            return Ok(());
        }
        let Ok(picture) = BASE64.decode(data) else {
            return Ok(());
        };
        data.clone_into(&mut self.last);
        self.bytes += picture.len() as u64;
        let path = self.directory.join(Film::name(self.times.len()));
        self.times.push(self.clock.time());
        self.resting = Some(Instant::now() + REST);
        write(path, picture).await
    }
}

async fn write(path: PathBuf, bytes: Vec<u8>) -> io::Result<()> {
    let write = move || std::fs::write::<&Path, _>(&path, bytes);
    tokio::task::spawn_blocking(write).await?
}
