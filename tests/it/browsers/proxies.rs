//! Proxies of the caller's own.

use std::sync::{Arc, Mutex};

use anchorbrowser::sessions::{Proxy, SessionOptions};
use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::site::head;
use super::{Bench, until};

/// In the password and in the name.
const CANARY: &str = "canary-81f3d0";
/// `name-canary-81f3d0:pass-canary-81f3d0` in base64.
const LOGIN: &str = "bmFtZS1jYW5hcnktODFmM2QwOnBhc3MtY2FuYXJ5LTgxZjNkMA==";

/// A proxy that wants a login, and answers for the whole web itself.
struct Server {
    address: String,
    /// First line of each request, and whether it logged in.
    seen: Arc<Mutex<Vec<(String, bool)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let seen = Arc::<Mutex<Vec<(String, bool)>>>::default();
        let requests = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&requests)));
            }
        });
        Ok(Self {
            address,
            seen,
            task,
        })
    }

    fn proxy(&self, password: &str) -> SessionOptions {
        let proxy = Proxy::custom(
            format!("http://{}", self.address),
            format!("name-{CANARY}"),
            password,
        );
        // A name that nobody resolves but the proxy.
        SessionOptions::new()
            .proxy(proxy)
            .initial_url("http://site.invalid/page")
    }

    /// Whether there was a request that begins like this, with or without the login.
    fn saw(&self, start: &str, login: bool) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .any(|(line, with)| line.starts_with(start) && *with == login)
    }
}

/// A page that sends a body, and then opens a tunnel.
const PAGE: &str = "<title>Behind the proxy</title><script>
    fetch('/posted', { method: 'POST', body: 'x'.repeat(100000) })
      .then(() => new WebSocket('ws://socket.invalid/tunnel'));
  </script>";

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<(String, bool)>>>) {
    let Some(head) = head(&mut stream).await else {
        return;
    };
    let login = head.contains(&format!("roxy-Authorization: Basic {LOGIN}\r\n"))
        || head.contains(&format!("roxy-authorization: Basic {LOGIN}\r\n"));
    let line = head.lines().next().unwrap_or_default().to_owned();
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let tunnel = line.starts_with("CONNECT ");
    seen.lock().unwrap().push((line, login));
    let answer = match (login, tunnel) {
        (false, _) => "HTTP/1.1 407 Login\r\nproxy-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n".to_owned(),
        (true, true) => "HTTP/1.1 200 Connected\r\n\r\n".to_owned(),
        (true, false) => format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{PAGE}",
            PAGE.len()
        ),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    // What comes through the tunnel is the beginning of a WebSocket.
    let mut first = [0; 3];
    if tunnel && login && stream.read_exact(&mut first).await.is_ok() {
        let first = String::from_utf8_lossy(&first).into_owned();
        seen.lock()
            .unwrap()
            .push((format!("through the tunnel: {first}"), true));
    }
}

/// The command lines of all processes.
fn command_lines() -> String {
    let processes = std::fs::read_dir("/proc").unwrap();
    let lines =
        processes.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect()
}

// On one thread, so that all that is logged is seen.
#[tokio::test]
#[cfg_attr(
    no_browser,
    ignore = "no Chromium was there when the tests were built; install it, and give `--include-ignored`"
)]
async fn a_session_logs_in_to_its_proxy_and_nobody_learns_how() -> Result<()> {
    crate::callsites::ask_each_time();
    let log = tempfile::NamedTempFile::new()?;
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let _guard = tracing::subscriber::set_default(
        subscriber.with_writer(Mutex::new(log.reopen()?)).finish(),
    );
    let (bench, server) = (Bench::start().await?, Server::start().await?);
    let options = server.proxy(&format!("pass-{CANARY}"));
    let session = bench.session(options).await?;
    until(|| server.saw("through the tunnel: GET", true)).await;
    for line in [
        "GET http://site.invalid/page ",
        "POST http://site.invalid/posted ",
        "CONNECT socket.invalid:80 ",
    ] {
        assert!(server.saw(line, true), "{line}");
        assert!(!server.saw(line, false), "{line}");
    }
    let lines = command_lines();
    assert!(lines.contains("--proxy-server=http://127.0.0.1:"));
    let mut texts = vec![lines, format!("{session:?} {:?}", bench.emulator)];
    let base = bench.emulator.base_url();
    for path in ["/", "/__emulator/state", "/__emulator/requests"] {
        texts.push(reqwest::get(format!("{base}{path}")).await?.text().await?);
    }
    session.end().await?;
    texts.push(std::fs::read_to_string(log.path())?);
    assert!(texts[5].contains("create_session"), "{}", texts[5]);
    for text in texts {
        assert!(
            !text.contains("pass-canary") && !text.contains(LOGIN),
            "{text}"
        );
    }
    Ok(())
}

browser_tests! {
    async fn a_wrong_password_opens_no_page() -> Result<()> {
        let (bench, server) = (Bench::start().await?, Server::start().await?);
        let options = server.proxy("wrong");
        let session = bench.session(options).await?;
        until(|| server.saw("GET http://site.invalid/page ", false)).await;
        let titles: Vec<_> = session.pages().await?.into_iter().map(|page| page.title).collect();
        assert_ne!(titles, [Some("Behind the proxy".to_owned())]);
        session.end().await?;
        bench.nothing_is_left().await;
        Ok(())
    }

    async fn a_proxy_that_can_not_be_used_is_refused_before_anything_starts() -> Result<()> {
        let bench = Bench::start().await?;
        for (server, name) in [("not a proxy", ""), ("ftp://h:1", ""), ("http://u:canary@h:1", ""), ("socks5://h:1", "name")] {
            let proxy = Proxy::custom(server, name, name);
            let refused = bench.client.sessions().create().proxy(proxy).send().await.unwrap_err();
            assert_eq!(refused.status().map(|status| status.as_u16()), Some(400), "{refused}");
            let message = refused.message().unwrap_or_default();
            assert!(message.contains("session.proxy.server") && !message.contains("canary"), "{message}");
        }
        assert_eq!((bench.processes(), bench.directories()), (0, 0));
        Ok(())
    }
}
