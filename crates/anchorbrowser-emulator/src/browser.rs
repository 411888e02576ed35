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
mod encoder;
mod find;
mod forward;
mod guard;
mod keyboard;
mod keys;
mod live;
mod mouse;
mod page;
mod preferences;
mod profile;
mod proxy;
mod recorder;
mod relay;
mod remains;
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
pub(crate) use encoder::Video;
pub use find::Browser;
pub(crate) use keyboard::Key;
pub(crate) use live::{Live, PATH as LIVE_PATH};
pub(crate) use mouse::{Button, Point};
pub(crate) use page::Page;
pub(crate) use proxy::Proxy;
pub(crate) use relay::{Relay, is_path as is_cdp_path};
pub(crate) use running::{Running, Tab};
pub(crate) use settings::Settings;

use encoder::Encoder;

/// What a browser has to tell, done with the state.
pub(crate) type Report = Box<dyn FnOnce(&mut World) + Send>;

/// The browsers of all sessions that run. Without a program, there are none.
#[derive(Default)]
pub(crate) struct Browsers {
    starter: Option<Starter>,
    open: HashMap<String, Open>,
    /// Those that end, with the profiles that are stored before they are gone.
    storing: Vec<(Vec<String>, SessionBrowser)>,
    /// As many more as are borrowed for one request.
    borrowed: Arc<()>,
}

/// A browser that has not been told to end.
struct Open {
    browser: SessionBrowser,
    end: oneshot::Sender<Ending>,
    /// Its recording.
    paused: watch::Sender<bool>,
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
    /// Without one, nothing is recorded.
    encoder: Option<Encoder>,
}

/// How many browsers start at once.
fn starts() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get() * 2)
}

impl Starter {
    /// Starts a browser when those are gone that store the profile it starts from. It ends when it is told how, or nobody
    /// can tell it any more.
    fn start(&self, name: &str, settings: Settings, after: Vec<SessionBrowser>) -> Open {
        let (end, ending) = oneshot::channel();
        let (stage, stages) = watch::channel(Stage::Starting);
        let (paused, pauses) = watch::channel(false);
        let order = Order {
            session: name.to_owned(),
            settings,
            after,
            paused: pauses,
        };
        self.runtime
            .spawn(running::live(self.clone(), order, stage, ending));
        Open {
            browser: SessionBrowser(stages),
            end,
            paused,
        }
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

impl Stage {
    fn is_over(&self) -> bool {
        matches!(self, Self::Gone | Self::Failed(_))
    }
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
    /// Starts browsers by `program`, on the present runtime, with private directories in `place`. Records them, if it is to
    /// and can.
    pub(crate) fn new(program: PathBuf, place: PathBuf, record: bool) -> (Self, Reports) {
        let (reports, receiver) = mpsc::unbounded_channel();
        let starter = Starter {
            program: program.into(),
            place: place.into(),
            runtime: Handle::current(),
            reports,
            processes: Arc::new(watch::Sender::new(0)),
            starts: Arc::new(Semaphore::new(starts())),
            encoder: record.then(Encoder::find).flatten(),
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
            borrowed: Arc::clone(&self.borrowed),
            ..Self::default()
        }
    }

    /// Whether sessions that ask for it are recorded.
    pub(crate) fn record(&self) -> bool {
        let encoder = |starter: &Starter| starter.encoder.is_some();
        self.starter.as_ref().is_some_and(encoder)
    }

    /// Starts the browser of a session. Whether it is ready or has failed is reported.
    pub(crate) fn launch(&mut self, session: &str, settings: Settings) {
        let Some(starter) = &self.starter else {
            return;
        };
        let stores = |(names, _): &&(Vec<String>, _)| {
            let name = settings.profile.as_ref();
            name.is_some_and(|name| names.contains(name))
        };
        let storing = self.storing.iter().filter(stores);
        let after = storing.map(|(_, browser)| browser.clone()).collect();
        let open = starter.start(session, settings, after);
        self.open.insert(session.to_owned(), open);
    }

    /// The browser of a session, also when it has not started yet.
    pub(crate) fn get(&self, session: &str) -> Option<SessionBrowser> {
        self.open.get(session).map(|open| open.browser.clone())
    }

    /// Pauses the recording of a session, or lets it go on.
    pub(crate) fn pause(&self, session: &str, paused: bool) {
        if let Some(open) = self.open.get(session) {
            open.paused.send_replace(paused);
        }
    }

    /// Ends the browser of a session. Says whether it reports what became of its profiles: it may have ended by itself.
    pub(crate) fn end(&mut self, session: &str, ending: Ending) -> bool {
        let Some(open) = self.open.remove(session) else {
            return false;
        };
        let profiles = ending.profiles.clone();
        let told = open.end.send(ending).is_ok();
        if told && !profiles.is_empty() {
            self.storing.retain(|(_, browser)| !browser.is_gone());
            self.storing.push((profiles, open.browser));
        }
        told
    }

    /// Ends all, and no more are started.
    pub(crate) fn stop(&mut self) -> Stopped {
        self.open.clear();
        Stopped(self.starter.take())
    }
}

/// A browser that is to be started.
struct Order {
    session: String,
    settings: Settings,
    /// Those that store the profile that it starts from.
    after: Vec<SessionBrowser>,
    paused: watch::Receiver<bool>,
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
        let _ = self.0.wait_for(Stage::is_over).await;
    }

    fn is_gone(&self) -> bool {
        self.0.borrow().is_over()
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
