//! Sessions with a real browser behind them. Where none was found when the tests were built, they are ignored by name.

/// A test with a browser.
macro_rules! browser_tests {
    ($($(#[$attribute:meta])* async fn $name:ident() -> Result<()> $body:block)*) => {$(
        $(#[$attribute])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        #[cfg_attr(
            no_browser,
            ignore = "no Chromium was there when the tests were built; install it, and give `--include-ignored`"
        )]
        async fn $name() -> anyhow::Result<()> $body
    )*};
}

mod clipboard;
mod drivers;
mod files;
mod live;
mod lives;
mod operations;
mod profiles;
mod proxies;
mod recordings;
mod site;
mod sockets;
mod stage;
mod tools;

use std::path::Path;
use std::time::Duration;

use anchorbrowser::sessions::SessionOptions;
use anchorbrowser::{Client, Session};
use anchorbrowser_emulator::{Browser, Builder, Emulator};
use tempfile::TempDir;

use crate::sdk;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An emulator with browsers, a client of it, and the directory that the browsers' own are in.
struct Bench {
    emulator: Emulator,
    client: Client,
    directory: TempDir,
}

impl Bench {
    async fn start() -> anyhow::Result<Self> {
        Self::with(|builder| builder).await
    }

    async fn with(change: impl FnOnce(Builder) -> Builder) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let builder = Emulator::builder()
            .browser(Browser::Auto)
            // A video is made after its session has ended, which would be in the way of what is counted then.
            .record(false)
            .browser_directory(directory.path());
        let emulator = change(builder).start().await?;
        anyhow::ensure!(emulator.browser().is_some(), "there is no Chromium");
        let client = sdk::client(&emulator);
        Ok(Self {
            emulator,
            client,
            directory,
        })
    }

    /// A session with these options.
    async fn session(&self, options: SessionOptions) -> anchorbrowser::Result<Session> {
        let create = self.client.sessions().create();
        create.options(options).send().await
    }

    /// Private directories of browsers.
    fn directories(&self) -> usize {
        std::fs::read_dir(self.directory.path()).unwrap().count()
    }

    /// Processes of browsers.
    fn processes(&self) -> usize {
        processes(self.directory.path())
    }

    /// Waits until no process and no directory of a browser is left.
    async fn nothing_is_left(&self) {
        nothing_is_left(self.directory.path()).await;
    }
}

/// Processes whose command line names `directory`; those that are dead have none.
fn processes(directory: &Path) -> usize {
    process_ids(directory).len()
}

/// The ids of those.
fn process_ids(directory: &Path) -> Vec<String> {
    let named = |process: &Path| {
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(directory.to_str().unwrap())
    };
    let processes = std::fs::read_dir("/proc").unwrap();
    let paths = processes.filter_map(|entry| Some(entry.ok()?.path()));
    let names = paths.filter(|path| named(path));
    names
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

/// Waits until no process and no directory is left below `directory`.
async fn nothing_is_left(directory: &Path) {
    let left = || processes(directory) + std::fs::read_dir(directory).unwrap().count();
    until(|| left() == 0).await;
}

/// Waits until something holds that nothing tells of.
async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it does not come about");
}
