//! Browsers behind sessions: each session has a Chromium of its own, with a private profile.
//!
//! The state knows a browser by its session, and asks it for nothing that takes time: what does is handed out as
//! [`Later`](crate::answer::Later), which runs without the lock, and comes back with what to do to the state.

mod borrowed;
mod capture;
mod care;
mod cdp;
mod clipboard;
mod connected;
mod downloads;
mod find;
mod guard;
mod keyboard;
mod keys;
mod live;
mod mouse;
mod page;
mod preferences;
mod relay;
mod running;
mod script;
mod settings;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::answer::Refusal;
use crate::server::stopped;
use crate::shared::Shared;
use crate::world::World;

pub(crate) use borrowed::Workplace;
pub(crate) use capture::Shot;
pub use find::Browser;
pub(crate) use keyboard::Key;
pub(crate) use live::{Live, PATH as LIVE_PATH};
pub(crate) use mouse::{Button, Point};
pub(crate) use page::Page;
pub(crate) use relay::{Relay, is_path as is_cdp_path};
pub(crate) use running::{Running, Tab};
pub(crate) use settings::Settings;

/// What a browser has to tell, done with the state.
pub(crate) type Report = Box<dyn FnOnce(&mut World) + Send>;

/// The browsers of all sessions that run. Without a program, there are none.
#[derive(Default)]
pub(crate) struct Browsers {
    starter: Option<Starter>,
    open: HashMap<String, (SessionBrowser, oneshot::Sender<Ending>)>,
    /// As many more as are borrowed for one request.
    borrowed: Arc<()>,
}

/// What it takes to start one.
#[derive(Clone)]
struct Starter {
    program: Arc<Path>,
    /// Where private directories are made.
    place: Arc<Path>,
    runtime: Handle,
    reports: mpsc::UnboundedSender<Report>,
    /// Processes that are not gone yet.
    processes: Arc<watch::Sender<usize>>,
    /// Room to start one: many at once would all be slow.
    starts: Arc<Semaphore>,
}

/// How many browsers start at once.
fn starts() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get() * 2)
}

impl Starter {
    /// Starts a browser. It ends when it is told how, or nobody can tell it any more.
    fn start(&self, name: &str, settings: Settings) -> (SessionBrowser, oneshot::Sender<Ending>) {
        let (end, ending) = oneshot::channel();
        let (stage, stages) = watch::channel(Stage::Starting);
        let life = running::live(self.clone(), name.to_owned(), settings, stage, ending);
        self.runtime.spawn(life);
        (SessionBrowser(stages), end)
    }
}

/// Where reports come from.
pub(crate) type Reports = mpsc::UnboundedReceiver<Report>;

/// How far a browser has come.
#[derive(Clone)]
enum Stage {
    Starting,
    Running(Arc<Running>),
    Ending,
    /// It did not start, and why.
    Failed(Arc<str>),
    Gone,
}

/// The browser of a session. A clone is the same one.
#[derive(Clone)]
pub(crate) struct SessionBrowser(watch::Receiver<Stage>);

/// How a browser ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending {
    /// The profiles that what it holds is stored under.
    pub(crate) profiles: Vec<String>,
}

impl Browsers {
    /// Starts browsers by `program`, on the present runtime, with private directories in `place`.
    pub(crate) fn new(program: PathBuf, place: PathBuf) -> (Self, Reports) {
        let (reports, receiver) = mpsc::unbounded_channel();
        let starter = Starter {
            program: program.into(),
            place: place.into(),
            runtime: Handle::current(),
            reports,
            processes: Arc::new(watch::Sender::new(0)),
            starts: Arc::new(Semaphore::new(starts())),
        };
        let browsers = Self {
            starter: Some(starter),
            ..Self::default()
        };
        (browsers, receiver)
    }

    /// Whether sessions have browsers.
    pub(crate) fn are_on(&self) -> bool {
        self.starter.is_some()
    }

    /// The same for a state that begins anew: those of the old one end with it.
    pub(crate) fn anew(&mut self) -> Self {
        self.open.clear();
        Self {
            starter: self.starter.clone(),
            open: HashMap::new(),
            borrowed: Arc::clone(&self.borrowed),
        }
    }

    /// Starts the browser of a session. Whether it is ready or has failed is reported.
    pub(crate) fn launch(&mut self, session: &str, settings: Settings) {
        if let Some(starter) = &self.starter {
            let started = starter.start(session, settings);
            self.open.insert(session.to_owned(), started);
        }
    }

    /// The browser of a session, also when it has not started yet.
    pub(crate) fn get(&self, session: &str) -> Option<SessionBrowser> {
        self.open.get(session).map(|(browser, _)| browser.clone())
    }

    /// Ends the browser of a session.
    pub(crate) fn end(&mut self, session: &str, ending: Ending) {
        if let Some((_, end)) = self.open.remove(session) {
            // It may have ended by itself.
            let _ = end.send(ending);
        }
    }

    /// Ends all, and no more are started.
    pub(crate) fn stop(&mut self) -> Stopped {
        self.open.clear();
        Stopped(self.starter.take())
    }
}

/// Browsers that end.
pub(crate) struct Stopped(Option<Starter>);

impl Stopped {
    /// Waits until no process is left.
    pub(crate) async fn gone(self) {
        let Some(starter) = self.0 else {
            return;
        };
        let mut processes = starter.processes.subscribe();
        // Fails only without a sender, and `starter` has one.
        let _ = processes.wait_for(|count| *count == 0).await;
    }
}

impl SessionBrowser {
    /// The page in front of it, once it runs.
    pub(crate) async fn page(&self) -> Result<Page, Refusal> {
        Ok(self.running().await?.page().await?)
    }

    /// Waits until it runs.
    pub(crate) async fn running(&self) -> Result<Arc<Running>, Refusal> {
        let mut stage = self.0.clone();
        let reached = stage.wait_for(|stage| !matches!(stage, Stage::Starting));
        match reached.await.as_deref() {
            Ok(Stage::Running(running)) => Ok(Arc::clone(running)),
            Ok(Stage::Failed(why)) => Err(Refusal::new(500, &**why)),
            _ => Err(Refusal::new(404, "the session has ended")),
        }
    }

    /// Waits until it can't be used any more.
    pub(crate) async fn ending(mut self) {
        let used = |stage: &Stage| matches!(stage, Stage::Starting | Stage::Running(_));
        let _ = self.0.wait_for(|stage| !used(stage)).await;
    }

    /// Waits until it is gone, with its processes and its directory.
    pub(crate) async fn gone(mut self) {
        let gone = |stage: &Stage| matches!(stage, Stage::Gone | Stage::Failed(_));
        let _ = self.0.wait_for(gone).await;
    }
}

/// Does with the state what browsers report, until `stop` turns true.
pub(crate) async fn report(
    mut reports: Reports,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let report = tokio::select! {
            () = stopped(&mut stop) => return,
            report = reports.recv() => report,
        };
        let Some(report) = report else {
            return;
        };
        if let Err(error) = shared.enter(report) {
            tracing::debug!(%error, "what a browser reported could not be stored");
        }
    }
}
