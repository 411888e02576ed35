//! The browser of a session, from its start to its end.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::BufReader;
use tokio::process::ChildStderr;
use tokio::sync::{SemaphorePermit, broadcast, oneshot, watch};

use super::care::{Care, Use};
use super::cdp::{Cdp, CdpError, Event};
use super::downloads::{self, Downloads};
use super::forward::Forward;
use super::guard::{self, Process};
use super::recorder::Recorder;
use super::remains::{self, Remains};
use super::{Ending, Order, Proxy, Settings, Stage, Starter, preferences, profile};
use crate::resources::sessions;
use crate::shared::lock;

/// How long a browser may take to start. A loaded machine takes seconds.
const STARTING: Duration = Duration::from_secs(60);

/// How long a session waits for its first page.
const FIRST_PAGE: Duration = Duration::from_secs(10);

/// The directory of the browser itself, in its private directory.
const PROFILE: &str = "profile";

/// A tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tab {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) url: String,
}

impl Tab {
    /// The tab of a target, if it is one.
    fn of(target: &Value) -> Option<Self> {
        let text = |name: &str| target[name].as_str().map(str::to_owned);
        (target["type"] == "page").then_some(())?;
        Some(Self {
            id: text("targetId")?,
            title: text("title")?,
            url: text("url")?,
        })
    }
}

/// A browser that runs.
pub(crate) struct Running {
    pub(crate) cdp: Cdp,
    /// Host and port of its sockets.
    pub(crate) host: String,
    /// Path of the socket of the browser as a whole.
    pub(crate) path: String,
    /// Its private directory.
    pub(crate) directory: PathBuf,
    /// In the order in which they were opened.
    tabs: Mutex<Vec<Tab>>,
    /// Targets that the emulator's own connection is attached to, with the session of each.
    pub(super) attached: tokio::sync::Mutex<HashMap<String, String>>,
    pub(super) usage: Use,
}

impl Running {
    /// Its tabs, oldest first.
    pub(crate) fn tabs(&self) -> Vec<Tab> {
        lock(&self.tabs).clone()
    }

    /// The directory of the browser itself.
    pub(super) fn profile(&self) -> PathBuf {
        self.directory.join(PROFILE)
    }

    /// Where files lie that pages upload.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.directory.join("uploads")
    }

    /// Looks which tabs there are.
    pub(crate) async fn look(&self) -> Result<Vec<Tab>, CdpError> {
        let found = self.cdp.call(None, "Target.getTargets", json!({})).await?;
        let mut tabs = lock(&self.tabs);
        *tabs = tabs_of(&found, &tabs);
        Ok(tabs.clone())
    }

    /// Takes notice of tabs that come, change and go. Says whether there was anything new.
    fn notice(&self, event: &Event) -> bool {
        note(&mut lock(&self.tabs), event)
    }
}

/// The tabs among targets that were found. Those that are `known` keep their place.
pub(super) fn tabs_of(found: &Value, known: &[Tab]) -> Vec<Tab> {
    let targets = found["targetInfos"].as_array().into_iter().flatten();
    let mut tabs: Vec<Tab> = targets.filter_map(Tab::of).collect();
    let age = |tab: &Tab| known.iter().position(|known| known.id == tab.id);
    tabs.sort_by_key(|tab| age(tab).unwrap_or(usize::MAX));
    tabs
}

/// Notes in `tabs` what an event tells of them. Says whether there was anything new.
pub(super) fn note(tabs: &mut Vec<Tab>, event: &Event) -> bool {
    let target = &event.params["targetInfo"];
    match event.method.as_str() {
        "Target.targetCreated" | "Target.targetInfoChanged" => {
            let Some(tab) = Tab::of(target) else {
                return false;
            };
            match tabs.iter_mut().find(|known| known.id == tab.id) {
                Some(known) if *known == tab => return false,
                Some(known) => *known = tab,
                None => tabs.push(tab),
            }
            true
        }
        "Target.targetDestroyed" => {
            let before = tabs.len();
            let gone = event.text("/targetId");
            tabs.retain(|tab| Some(tab.id.as_str()) != gone);
            tabs.len() != before
        }
        _ => false,
    }
}

/// One browser: starts it, reports how that went, and waits for its end.
pub(super) async fn live(
    starter: Starter,
    order: Order,
    stage: watch::Sender<Stage>,
    mut ending: oneshot::Receiver<Ending>,
) {
    let mut life = Life {
        starter: &starter,
        session: &order.session,
        order: &order,
        settings: &order.settings,
        stage: &stage,
        remains: Remains::default(),
    };
    let failed = life.run(&mut ending).await.err();
    let mut remains = life.remains;
    // It may have been told to end while it ended by itself.
    ending.close();
    if let Ok(ending) = ending.try_recv() {
        remains.profiles = ending.profiles;
    }
    remains.hand_over(&starter, &order).await;
    let session = order.session;
    if let Some(why) = failed {
        tracing::warn!(session, "{why}");
        stage.send_replace(Stage::Failed(why.as_str().into()));
        let failed = move |world: &mut _| sessions::browser_failed(world, &session, &why);
        // Without a receiver the emulator is shutting down.
        let _ = starter.reports.send(Box::new(failed));
    } else {
        stage.send_replace(Stage::Gone);
        let gone = move |world: &mut _| sessions::browser_gone(world, &session);
        let _ = starter.reports.send(Box::new(gone));
    }
}

/// The life of a browser.
struct Life<'a> {
    starter: &'a Starter,
    session: &'a str,
    order: &'a Order,
    settings: &'a Settings,
    stage: &'a watch::Sender<Stage>,
    remains: Remains,
}

/// A browser that has started.
struct Started {
    running: Arc<Running>,
    output: BufReader<ChildStderr>,
    recorder: Option<Recorder>,
}

impl Life<'_> {
    /// Until the process is gone. The error says why it failed to start.
    async fn run(&mut self, ending: &mut oneshot::Receiver<Ending>) -> Result<(), String> {
        let unstarted = |error| format!("the browser could not be started: {error}");
        let (starter, order) = (self.starter, self.order);
        let turn = async {
            let archive = remains::archive(starter, order).await;
            (archive, starter.starts.acquire().await.ok())
        };
        let (archive, room) = tokio::select! {
            biased;
            // It ends before it has begun.
            ending = &mut *ending => {
                self.remains.profiles = ending.unwrap_or_default().profiles;
                return Ok(());
            }
            turn = turn => turn,
        };
        let proxy = self.settings.proxy.as_ref();
        let proxy = proxy.map_err(|why| format!("the browser could not be started: {why}"))?;
        let forward = match proxy {
            Some(proxy) => Forward::start(proxy).await.map_err(unstarted)?,
            None => None,
        };
        let server = forward.as_ref().map(Forward::server);
        let server = server.or_else(|| proxy.as_ref().map(Proxy::server));
        let (process, directory) = self.guard(server.as_deref()).map_err(unstarted)?;
        let profile = (directory.as_path(), archive);
        self.within(process, profile, room, ending).await
    }

    /// Has the process guarded, with its directory.
    fn guard(&self, proxy: Option<&str>) -> std::io::Result<(Process, PathBuf)> {
        let directory = guard::directory(&self.starter.place)?;
        let path = directory.path().to_owned();
        std::fs::create_dir(path.join("uploads"))?;
        let arguments = self.settings.arguments(&path.join(PROFILE), proxy);
        let Starter {
            program, processes, ..
        } = self.starter;
        let process = Process::new(program, arguments, directory, processes)?;
        Ok((process, path))
    }

    /// From the start of the process to its end.
    async fn within(
        &mut self,
        mut process: Process,
        (directory, archive): (&Path, Option<Bytes>),
        room: Option<SemaphorePermit<'_>>,
        ending: &mut oneshot::Receiver<Ending>,
    ) -> Result<(), String> {
        let connecting = self.connect(&mut process, directory, archive);
        let connecting = tokio::time::timeout(STARTING, connecting);
        let slow = || {
            format!(
                "the browser did not start within {} seconds",
                STARTING.as_secs()
            )
        };
        let connected = tokio::select! {
            connected = connecting => connected.unwrap_or_else(|_| Err(slow())).map(Some),
            ending = &mut *ending => {
                self.remains.profiles = ending.unwrap_or_default().profiles;
                Ok(None)
            }
        };
        drop(room);
        let failed = match connected {
            Ok(Some(started)) => {
                self.go_on(started, ending).await;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(why) => Err(why),
        };
        if failed.is_ok() {
            self.stage.send_replace(Stage::Ending);
        }
        process.end().await;
        failed
    }

    /// Connects to the browser when it listens, and prepares it.
    async fn connect(
        &self,
        process: &mut Process,
        directory: &Path,
        archive: Option<Bytes>,
    ) -> Result<Started, String> {
        let unstarted = |error| format!("the browser could not be started: {error}");
        let profile = directory.join(PROFILE);
        let unpacked = remains::unpack(&profile, archive).await;
        let cookies = unpacked.map_err(unstarted)?;
        preferences::write(directory, self.settings).map_err(unstarted)?;
        let stderr = process.begin().await.map_err(unstarted)?;
        let (address, output) = guard::listening(stderr)
            .await
            .map_err(|said| format!("the browser ended instead of starting; it wrote: {said}"))?;
        let (host, path) = address
            .split_once('/')
            .map(|(host, path)| (host.to_owned(), format!("/{path}")))
            .ok_or("the browser told no address")?;
        let recorded = self.settings.record && self.starter.encoder.is_some();
        let recorder = recorded.then(|| {
            let pictures = directory.join("pictures");
            let paused = self.order.paused.clone();
            Recorder::start((host.clone(), path.clone()), pictures, paused)
        });
        let running = self.prepare(host, path, directory, &cookies).await;
        let running = running.map_err(|error| format!("the browser can't be used: {error}"))?;
        Ok(Started {
            running,
            output,
            recorder,
        })
    }

    async fn prepare(
        &self,
        host: String,
        path: String,
        directory: &Path,
        cookies: &Value,
    ) -> Result<Arc<Running>, CdpError> {
        let cdp = Cdp::connect(&host, &path).await?;
        let events = cdp.events();
        let running = Arc::new(Running {
            cdp: cdp.clone(),
            host,
            path,
            directory: directory.to_owned(),
            tabs: Mutex::default(),
            attached: tokio::sync::Mutex::default(),
            usage: Use::default(),
        });
        self.look_after(&running);
        downloads::enable(&running).await?;
        let discover = json!({ "discover": true });
        cdp.call(None, "Target.setDiscoverTargets", discover)
            .await?;
        running.look().await?;
        self.watch(&running, events);
        profile::set_cookies(&cdp, cookies).await?;
        let page = running.page().await?;
        page.resize(self.settings.viewport).await;
        if let Some(url) = &self.settings.url {
            // Whether it can be reached or not, the session is there.
            let _ = tokio::time::timeout(FIRST_PAGE, page.goto(url)).await;
        }
        Ok(running)
    }

    /// Sees to what goes on in it by itself, until the connection ends.
    fn look_after(&self, running: &Arc<Running>) {
        let kept = self.settings.keeps_downloads;
        let care = Care {
            running: Arc::downgrade(running),
            downloads: Downloads::new(self.session, kept, self.starter.reports.clone()),
            no_dialogs: self.settings.no_dialogs,
        };
        tokio::spawn(care.take(running.cdp.events()));
    }

    /// Follows the tabs until the connection ends, and reports them.
    fn watch(&self, running: &Arc<Running>, mut events: broadcast::Receiver<Arc<Event>>) {
        let (running, reports) = (Arc::downgrade(running), self.starter.reports.clone());
        let session = self.session.to_owned();
        tokio::spawn(async move {
            loop {
                let event = events.recv().await;
                let Some(running) = running.upgrade() else {
                    return;
                };
                let changed = match event {
                    Ok(event) => running.notice(&event),
                    Err(broadcast::error::RecvError::Lagged(_)) => running.look().await.is_ok(),
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                if changed {
                    let (session, tabs) = (session.clone(), running.tabs());
                    let report = move |world: &mut _| sessions::set_pages(world, &session, tabs);
                    let _ = reports.send(Box::new(report));
                }
            }
        });
    }

    /// Lets it be used until it is told to end, or ends by itself.
    async fn go_on(&mut self, started: Started, ending: &mut oneshot::Receiver<Ending>) {
        let Started {
            running,
            output,
            recorder,
        } = started;
        let session = self.session.to_owned();
        self.stage
            .send_replace(Stage::Running(Arc::clone(&running)));
        let ready = move |world: &mut _| sessions::browser_ready(world, &session);
        let _ = self.starter.reports.send(Box::new(ready));
        let drained = guard::drained(output);
        tokio::pin!(drained);
        let told = tokio::select! {
            () = &mut drained => None,
            ending = ending => Some(ending),
        };
        // Whoever is connected to it is told at once.
        self.stage.send_replace(Stage::Ending);
        let film = match recorder {
            Some(recorder) => recorder.finish().await,
            None => None,
        };
        if let Some(ending) = told {
            // Nobody is left to give the order: that is one too.
            self.remains.profiles = ending.unwrap_or_default().profiles;
            self.remains.keep(&running, drained).await;
        }
        self.remains.take(self.starter, self.order, film).await;
    }
}
