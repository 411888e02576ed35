//! Recordings show the browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anchorbrowser::recordings::Recording;
use anchorbrowser::{Client, SessionId};
use anchorbrowser_emulator::Emulator;
use anyhow::Result;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::site::Site;
use super::{Bench, PATIENCE, nothing_is_left, until};
use crate::sdk;

/// A page that never looks the same for long, and one that changes when it is told to.
const MOVING: &str = "<h1 id=count>0</h1><script>
    let count = 0;
    setInterval(() => document.getElementById('count').textContent = ++count, 100);
  </script>";
const STILL: &str = "<h1>nothing moves</h1>";
const OTHER: &str = "<h1>something else</h1><script>
    requestAnimationFrame(() => requestAnimationFrame(() => fetch('/painted')));
  </script>";

async fn site() -> Site {
    let html = "content-type: text/html";
    Site::new(&[
        ("/moving", html, MOVING.as_bytes()),
        ("/still", html, STILL.as_bytes()),
        ("/other", html, OTHER.as_bytes()),
        ("/painted", html, b""),
    ])
    .await
}

async fn recorded() -> Result<Bench> {
    Bench::with(|builder| builder.record(true)).await
}

/// The pictures of all browsers that run with their directories in `place`.
fn pictures(place: &Path) -> usize {
    by_browser(place).into_iter().sum()
}

/// The same for each of them.
fn by_browser(place: &Path) -> Vec<usize> {
    let browsers = std::fs::read_dir(place).unwrap();
    let pictures =
        browsers.filter_map(|entry| std::fs::read_dir(entry.ok()?.path().join("pictures")).ok());
    pictures.map(Iterator::count).collect()
}

/// The recording of a session that has ended, when it is ready, and its bytes.
async fn video(client: &Client, session: &SessionId) -> Result<(Recording, Bytes)> {
    let ready = async {
        loop {
            match client.recordings().list(session).send().await {
                Ok(mut page) => return Ok(page.items.remove(0)),
                Err(error) if error.is_not_found() => {
                    tokio::time::sleep(Duration::from_millis(20)).await
                }
                Err(error) => return Err(error),
            }
        }
    };
    let recording = tokio::time::timeout(PATIENCE, ready).await??;
    let bytes = client
        .recordings()
        .fetch_primary(session)
        .await?
        .bytes()
        .await?;
    assert_eq!(recording.size, Some(bytes.len() as u64));
    assert_eq!(&bytes[4..8], b"ftyp");
    Ok((recording, bytes))
}

/// The recording of sessions without a browser.
async fn sample() -> Result<Bytes> {
    let emulator = Emulator::start().await?;
    let client = sdk::client(&emulator);
    let session = client.sessions().create().send().await?;
    session.end().await?;
    Ok(video(&client, session.id()).await?.1)
}

/// The length that an MP4 file states.
fn length(video: &[u8]) -> Duration {
    let header = video.windows(4).position(|name| name == b"mvhd").unwrap() + 4;
    let number =
        |at: usize| u32::from_be_bytes(video[header + at..header + at + 4].try_into().unwrap());
    Duration::from_millis(u64::from(number(16)) * 1_000 / u64::from(number(12)))
}

browser_tests! {
    #[cfg_attr(no_ffmpeg, ignore = "no ffmpeg was there when the tests were built")]
    async fn a_recording_shows_what_the_browser_showed() -> Result<()> {
        let (bench, site) = (recorded().await?, site().await);
        let session = bench.client.sessions().create().initial_url(site.url("/moving")).send().await?;
        until(|| pictures(bench.directory.path()) >= 3).await;
        session.end().await?;
        let (recording, bytes) = video(&bench.client, session.id()).await?;
        assert_ne!(bytes, sample().await?);
        // Between three pictures there is a second at least.
        assert_eq!(recording.duration, Some(length(&bytes)));
        assert!(length(&bytes) >= Duration::from_secs(1), "{recording:?}");
        bench.nothing_is_left().await;
        session.recordings().delete_primary().await?;
        assert!(session.recordings().fetch_primary().await.unwrap_err().is_not_found());
        let state = reqwest::get(format!("{}/__emulator/state", bench.emulator.base_url())).await?;
        assert_eq!(state.json::<Value>().await?["stored_bytes"], 0);
        let exchanges = bench.emulator.exchanges();
        assert!(exchanges.iter().all(|exchange| exchange.answer_violations.is_empty()));
        Ok(())
    }

    #[cfg_attr(no_ffmpeg, ignore = "no ffmpeg was there when the tests were built")]
    async fn nothing_is_recorded_in_a_pause() -> Result<()> {
        let (bench, site) = (recorded().await?, site().await);
        let session = bench.client.sessions().create().initial_url(site.url("/still")).send().await?;
        let taken = || pictures(bench.directory.path());
        until(|| taken() > 0).await;
        session.recordings().pause().await?;
        let before = taken();
        session.goto(site.url("/other")).await?;
        until(|| site.heads().iter().any(|head| head.starts_with("GET /painted"))).await;
        session.screenshot().await?.bytes().await?;
        assert_eq!(taken(), before);
        session.recordings().resume().await?;
        // It shows what has changed in the meantime.
        until(|| taken() == before + 1).await;
        session.end().await?;
        let (_, bytes) = video(&bench.client, session.id()).await?;
        assert_ne!(bytes, sample().await?);
        Ok(())
    }

    async fn without_a_recording_of_the_browser_there_is_the_sample() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        session.end().await?;
        assert_eq!(video(&bench.client, session.id()).await?.1, sample().await?);
        let session = bench.client.sessions().create().recording(false).send().await?;
        session.end().await?;
        assert!(session.recordings().list().send().await.unwrap_err().is_not_found());
        Ok(())
    }

    #[cfg_attr(no_ffmpeg, ignore = "no ffmpeg was there when the tests were built")]
    async fn a_client_has_a_screencast_of_its_own() -> Result<()> {
        let (bench, site) = (recorded().await?, site().await);
        let session = bench.client.sessions().create().initial_url(site.url("/moving")).send().await?;
        // On its way to another site, a page has no screencast.
        until(|| pictures(bench.directory.path()) >= 3).await;
        let page = session.pages().await?.remove(0).id;
        let mut cdp = Cdp::connect(session.cdp_url().expose(), page.as_str()).await?;
        cdp.send("Page.startScreencast", json!({ "format": "png" })).await?;
        let recorded = pictures(bench.directory.path());
        // Many more than are recorded: those of the client are not held up.
        for _ in 0..20 {
            let frame = cdp.event("Page.screencastFrame").await?;
            assert!(frame["data"].as_str().is_some_and(|data| data.starts_with("iVBOR")));
            let number = json!({ "sessionId": frame["sessionId"] });
            cdp.send("Page.screencastFrameAck", number).await?;
        }
        until(|| pictures(bench.directory.path()) >= recorded + 3).await;
        cdp.send("Page.stopScreencast", json!({})).await?;
        until(|| pictures(bench.directory.path()) >= recorded + 5).await;
        session.end().await?;
        let (_, bytes) = video(&bench.client, session.id()).await?;
        assert_ne!(bytes, sample().await?);
        Ok(())
    }

    /// However the emulator ends while videos are made, and however ffmpeg fares.
    async fn nothing_is_left_of_a_video_that_is_not_made() -> Result<()> {
        for (end, ffmpeg) in [("kill", "exec sleep 1000"), ("shutdown", "exec sleep 1000"), ("wait", "exit 1")] {
            let directory = tempfile::tempdir()?;
            let path = fake(directory.path(), ffmpeg)?;
            let place = directory.path().join("place");
            std::fs::create_dir(&place)?;
            let mut child = Command::new(std::env::current_exe()?)
                .args(["--ignored", "--exact", "--nocapture", "browsers::recordings::child"])
                .env(END, end)
                .env(PLACE, &place)
                .env("PATH", path)
                .stdout(Stdio::null())
                .spawn()?;
            if end == "kill" {
                until(|| making(&place) == 2).await;
                child.kill()?;
            }
            let ended = tokio::task::spawn_blocking(move || child.wait()).await??;
            assert_eq!(ended.success(), end != "kill", "{end}");
            nothing_is_left(&place).await;
        }
        Ok(())
    }
}

const END: &str = "RECORDINGS_END";
const PLACE: &str = "RECORDINGS_PLACE";

/// A `PATH` that begins with an ffmpeg that works when it is tried, and does something else when it makes a video.
fn fake(directory: &Path, instead: &str) -> Result<std::ffi::OsString> {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join("ffmpeg");
    std::fs::write(
        &path,
        format!("#!/bin/sh\ncase \"$*\" in *rawvideo*) exit 0;; esac\n{instead}\n"),
    )?;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let places = std::iter::once(directory.to_owned()).chain(std::env::split_paths(&rest));
    Ok(std::env::join_paths(places)?)
}

/// Videos that are made with their directories in `place`.
fn making(place: &Path) -> usize {
    let lists = std::fs::read_dir(place)
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.path().join("list.txt")));
    lists.filter(|list: &PathBuf| list.exists()).count()
}

/// A session ends with pictures, and then its emulator.
#[tokio::test]
#[ignore = "runs as a child of the tests here"]
async fn child() -> Result<()> {
    let (end, place) = (std::env::var(END)?, PathBuf::from(std::env::var(PLACE)?));
    let site = site().await;
    let bench = Bench::with(|builder| builder.record(true).browser_directory(&place)).await?;
    let create = || {
        bench
            .client
            .sessions()
            .create()
            .initial_url(site.url("/moving"))
    };
    let (session, other) = (create().send().await?, create().send().await?);
    until(|| {
        by_browser(&place)
            .iter()
            .filter(|count| **count > 0)
            .count()
            == 2
    })
    .await;
    session.end().await?;
    // Its video waits for that of the first.
    other.end().await?;
    match end.as_str() {
        "wait" => assert_eq!(video(&bench.client, session.id()).await?.1, sample().await?),
        "shutdown" => bench.emulator.shutdown().await,
        // It is killed long before.
        _ => tokio::time::sleep(2 * PATIENCE).await,
    }
    Ok(())
}

/// A client of a page, without any comfort.
struct Cdp {
    socket: WebSocketStream<TcpStream>,
    last: u64,
    events: Vec<Value>,
}

impl Cdp {
    /// Connects to a page of the browser at `url`.
    async fn connect(url: &str, page: &str) -> Result<Self> {
        let (host, query) = url.trim_start_matches("ws://").split_once("/?").unwrap();
        let stream = TcpStream::connect(host).await?;
        let url = format!("ws://{host}/devtools/page/{page}?{query}");
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
        Ok(Self {
            socket,
            last: 0,
            events: Vec::new(),
        })
    }

    /// Sends a command, and waits until it is done.
    async fn send(&mut self, method: &str, params: Value) -> Result<()> {
        self.last += 1;
        let command = json!({ "id": self.last, "method": method, "params": params });
        self.socket.send(Message::text(command.to_string())).await?;
        loop {
            let message = self.receive().await?;
            if message["id"] == self.last {
                anyhow::ensure!(message["error"].is_null(), "{method}: {message}");
                return Ok(());
            }
            self.events.push(message);
        }
    }

    /// The next event with this name.
    async fn event(&mut self, method: &str) -> Result<Value> {
        loop {
            let mut message = match self.events.is_empty() {
                true => self.receive().await?,
                false => self.events.remove(0),
            };
            if message["method"] == method {
                return Ok(message["params"].take());
            }
        }
    }

    async fn receive(&mut self) -> Result<Value> {
        let message = tokio::time::timeout(PATIENCE, self.socket.next()).await?;
        let message = message.ok_or_else(|| anyhow::anyhow!("the socket has ended"))??;
        Ok(serde_json::from_str(message.to_text()?)?)
    }
}
