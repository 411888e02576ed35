//! Settings of an emulator, and its start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::browser::{Browser, Browsers};
use crate::config::{Account, Config, Failures, Limits, Timing};
use crate::courier::Courier;
use crate::document::Document;
use crate::emulator::{Emulator, EmulatorError};
use crate::resources::sessions;
use crate::shared::Shared;
use crate::time::Time;
use crate::world::{Store, World};

/// Browsers at once, where nothing else is set: each takes some 200 MiB.
const BROWSERS: u32 = 32;

/// Settings of an emulator that is to be started.
#[derive(Debug)]
#[must_use = "an emulator runs from `start` on"]
pub struct Builder {
    config: Config,
    address: SocketAddr,
    document: Option<PathBuf>,
    state: Option<PathBuf>,
    manual: bool,
    browser: Browser,
    browser_directory: Option<PathBuf>,
    record: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            config: Config::default(),
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            document: None,
            state: None,
            manual: false,
            browser: Browser::default(),
            browser_directory: None,
            record: true,
        }
    }
}

impl Builder {
    /// Listens on this port of the loopback address. Default 0: a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Listens on this address. Beyond loopback, everyone who reaches it can do everything: there is no account to
    /// protect. Default `127.0.0.1:0`.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Serves this document, YAML or JSON, instead of the embedded one. Operations that the emulator does not know
    /// are answered from their schemas.
    pub fn document(mut self, path: impl Into<PathBuf>) -> Self {
        self.document = Some(path.into());
        self
    }

    /// Accepts this key, and no other but those given likewise; it has visible ASCII characters only. Default: any key
    /// that is not empty.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.config.keys.0.push(key.into());
        self
    }

    /// Lets requests pass that break the document; they are only logged and noted. Default `false`.
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.config.lenient = lenient;
        self
    }

    /// Puts unknown members and enum values into every answer, as a newer service would. Default `false`. For single
    /// calls, or from some point on, there is [`Fault::drift`](crate::Fault::drift).
    pub fn drift(mut self, drift: bool) -> Self {
        self.config.drift = drift;
        self
    }

    /// Answers every request that fits the document from the schema of its answer, as if all that it names were
    /// there. Nothing is kept. Default `false`.
    pub fn stateless(mut self, stateless: bool) -> Self {
        self.config.stateless = stateless;
        self
    }

    /// Ids and made-up values come from this seed: the same seed and requests give the same answers. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Keeps the state in this SQLite file, which is made if it is not there. What was acknowledged is there after a
    /// restart, however the process ended. One emulator at a time can use it. Default: in memory only.
    pub fn state(mut self, path: impl Into<PathBuf>) -> Self {
        self.state = Some(path.into());
        self
    }

    /// Time stands still until [`Emulator::advance`]; it starts at 2026-01-01T00:00:00Z, or where the state file was
    /// left. Default: real time, which never goes back.
    pub fn manual_clock(mut self) -> Self {
        self.manual = true;
        self
    }

    /// Allows webhooks with `http://` on loopback. Default `false`: the rules of the API hold, and nothing is
    /// sent, because the emulator sends nothing beyond this machine.
    pub fn local_webhooks(mut self, allowed: bool) -> Self {
        self.config.local_webhooks = allowed;
        self
    }

    /// Runs each session in a browser of its own. Default [`Browser::Off`].
    ///
    /// The browser is headless unless the session says otherwise, has a private profile and goes with its session. It
    /// loads what it is told to, also from beyond this machine. Unless [`Account::max_concurrent_browsers`] says
    /// otherwise, at most 32 run at once.
    ///
    /// Profiles keep cookies and what sites store (local storage, `IndexedDB`, service workers with their caches), and nothing
    /// else of the browser. They are stored when their session ends, unless its browser has crashed or the emulator
    /// stopped before; then they keep what they had, as do those with more than 256 MiB, or for which
    /// [`Limits::stored_bytes`] leaves no room.
    ///
    /// Of proxies, custom ones are used: by `http`, `https`, `socks4` or `socks5`, with user name and password by `http`
    /// only, or the session is refused with 400. A proxy of the service has no effect: there is none on this machine.
    ///
    /// No browser is to be left, however the emulator ends: on Unix each has a guard, which kills it when the emulator
    /// is gone. Elsewhere an emulator that is killed leaves its browsers behind. Programs on this machine that know the
    /// port of a browser can drive it without a key.
    pub fn browser(mut self, browser: Browser) -> Self {
        self.browser = browser;
        self
    }

    /// Where browsers have their private directories, each of which goes with its browser. Default: the system's directory
    /// for temporary files.
    pub fn browser_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.browser_directory = Some(path.into());
        self
    }

    /// Whether sessions with a browser are recorded, unless their configuration turns it off. Default `true`.
    ///
    /// A picture of the newest tab is taken when it changes, at most twice a second, and `ffmpeg` makes a video of them when
    /// the session has ended. It is looked for in `PATH` when the emulator starts. Of a session the first 7,200 pictures
    /// are kept, and the first 128 MiB of them. Where there is no video, because this is off, there is no ffmpeg, or
    /// nothing was to be seen, the recording is a sample of two seconds, whatever the length stated.
    pub fn record(mut self, record: bool) -> Self {
        self.record = record;
        self
    }

    /// Changes how long things take.
    pub fn timing(mut self, change: impl FnOnce(&mut Timing)) -> Self {
        change(&mut self.config.timing);
        self
    }

    /// Changes what goes wrong without a scripted fault.
    pub fn failures(mut self, change: impl FnOnce(&mut Failures)) -> Self {
        change(&mut self.config.failures);
        self
    }

    /// Changes the emulated account.
    pub fn account(mut self, change: impl FnOnce(&mut Account)) -> Self {
        change(&mut self.config.account);
        self
    }

    /// Changes what clients may take up.
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.config.limits);
        self
    }

    /// Starts it on the present tokio runtime, which needs I/O and time enabled. Time of the runtime must not be paused:
    /// open connections would time out at once.
    ///
    /// # Errors
    ///
    /// If a setting is out of range, the document or the state file can't be used, or the address can't be bound.
    pub async fn start(mut self) -> Result<Emulator, EmulatorError> {
        self.config.check().map_err(EmulatorError::Setting)?;
        let program = self.browser.program().map_err(EmulatorError::Setting)?;
        if program.is_some() {
            let most = &mut self.config.account.max_concurrent_browsers;
            most.get_or_insert(BROWSERS);
        }
        self.config.browser.clone_from(&program);
        let document = match &self.document {
            Some(path) => Arc::new(Document::read(path)?),
            None => Document::embedded(),
        };
        let bind = |source| EmulatorError::Bind {
            address: self.address,
            source,
        };
        let listener = TcpListener::bind(self.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let now = match self.manual {
            true => Time::START,
            false => Time::system(),
        };
        let base = base_url(address);
        let mut world = World::new(Arc::new(self.config), document, base.clone(), now);
        let store = self.state.as_deref().map(Store::open).transpose()?;
        if let Some(store) = &store {
            store.load(&mut world)?;
        }
        let reports = program.map(|program| {
            let place = self.browser_directory.unwrap_or_else(std::env::temp_dir);
            // Browsers run in their own directories.
            let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
            let (browsers, reports) =
                Browsers::new(absolute(program), absolute(place), self.record);
            world.browsers = browsers;
            reports
        });
        sessions::settle_lost(&mut world);
        let (courier, queue) = Courier::new();
        let local = address.ip().is_loopback();
        let shared = Arc::new(Shared::new(world, store, self.manual, local, courier));
        Ok(Emulator::run(
            shared, listener, queue, reports, address, base,
        ))
    }
}

/// The base URL for clients. To listen on all addresses is possible, to connect to all is not.
fn base_url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}
