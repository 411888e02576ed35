//! The program.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::{Value, json};

/// The program as it runs.
struct Running {
    child: Child,
    base: String,
    greeting: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anchorbrowser-emulator"));
    command
        .args(arguments)
        .env_remove("ANCHORBROWSER_EMULATOR_KEY")
        .stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::from(program(&[&["--port", "0"], arguments].concat()))
    }

    fn from(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.ends_with("/\n") && stdout.read_line(&mut greeting).unwrap() > 0 {}
        let base = greeting
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("listening on "));
        let base = base
            .unwrap_or_else(|| panic!("no address in {greeting:?}"))
            .to_owned();
        Self {
            child,
            base,
            greeting,
        }
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: Value) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}{path}", self.base);
        let request = client
            .request(method, url)
            .header("anchor-api-key", "canary-key")
            .json(&body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Sends a signal, and waits for the end. Gives the log.
    fn end(&mut self, signal: &str) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (status, log)
    }
}

/// What the program says when it does not start.
fn refused(arguments: &[&str]) -> String {
    let output = program(arguments).output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.len()),
        (Some(2), 0),
        "{arguments:?}"
    );
    String::from_utf8(output.stderr).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn it_serves_logs_without_secrets_and_ends_when_asked() {
    for signal in ["-TERM", "-INT"] {
        let mut running = Running::start(&["--local-webhooks"]);
        assert!(
            running
                .greeting
                .contains(&format!("ANCHORBROWSER_BASE_URL={}\n", running.base))
        );
        let proxy = json!({ "active": true, "type": "custom", "server": "http://h:1", "password": "canary-password",
            "username": "u" });
        let (status, made) = running
            .send(
                reqwest::Method::POST,
                "/v1/sessions",
                json!({ "session": { "proxy": proxy } }),
            )
            .await;
        assert_eq!(status, 200, "{made}");
        let bad = running
            .send(
                reqwest::Method::GET,
                "/v1/sessions/canary?apiKey=canary-query",
                Value::Null,
            )
            .await;
        assert_ne!(bad.0, 200);
        let (ended, log) = running.end(signal);
        assert_eq!(ended.code(), Some(0), "{log}");
        assert_eq!(log.matches("create_session").count(), 1, "{log}");
        assert!(!log.contains("canary") && !log.contains("warning"), "{log}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_state_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let arguments = ["--state", file.to_str().unwrap(), "--log", "off"];
    let mut running = Running::start(&arguments);
    let (_, made) = running
        .send(reqwest::Method::POST, "/v1/sessions", json!({}))
        .await;
    let path = format!("/v1/sessions/{}", made["data"]["id"].as_str().unwrap());
    let (ended, log) = running.end("-KILL");
    assert_eq!((ended.code(), log.as_str()), (None, ""));

    let running = Running::start(&arguments);
    let (status, found) = running.send(reqwest::Method::GET, &path, Value::Null).await;
    assert_eq!(
        (status, &found["data"]["status"]),
        (200, &json!("running")),
        "{found}"
    );
    let taken = refused(&[&["--port", "0"], arguments.as_slice()].concat());
    assert!(taken.contains("state file"), "{taken}");
}

/// Killed while many requests are under way: of what was acknowledged, nothing is lost.
#[cfg(unix)]
#[tokio::test]
async fn a_kill_under_load_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let arguments = ["--state", file.to_str().unwrap(), "--log", "off"];
    let mut known = Vec::new();
    for round in 1..=3 {
        let mut running = Running::start(&arguments);
        let (client, base) = (reqwest::Client::new(), running.base.clone());
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (client, url) = (client.clone(), format!("{base}/v1/sessions"));
            tasks.spawn(async move {
                let mut ids = Vec::new();
                // Until the server is gone.
                while let Ok(answer) = client.post(&url).header("anchor-api-key", "k").send().await
                    && let Ok(answer) = answer.json::<Value>().await
                {
                    ids.push(answer["data"]["id"].as_str().unwrap().to_owned());
                }
                ids
            });
        }
        let made = async || {
            let url = format!("{base}/__emulator/state");
            let state: Value = client.get(url).send().await.unwrap().json().await.unwrap();
            state["counts"]["sessions"].as_u64().unwrap()
        };
        while made().await < known.len() as u64 + 100 * round {}
        running.end("-KILL");
        known.extend(tasks.join_all().await.into_iter().flatten());
    }
    assert!(known.len() > 300, "{}", known.len());

    let running = Running::start(&arguments);
    for id in &known {
        let path = format!("/v1/sessions/{id}");
        let (status, found) = running.send(reqwest::Method::GET, &path, Value::Null).await;
        assert_eq!(status, 200, "{id} was acknowledged: {found}");
    }
    known.sort();
    let count = known.len();
    known.dedup();
    assert_eq!(known.len(), count, "no id is given twice");
}

#[tokio::test]
async fn options_reach_the_emulator() {
    let mut command = program(&[
        "--port",
        "0",
        "--manual-clock",
        "--credits",
        "0",
        "--seed",
        "7",
        "--log",
        "warn",
    ]);
    command.env("ANCHORBROWSER_EMULATOR_KEY", "canary-key");
    let running = Running::from(command);
    assert!(running.greeting.contains("one-of-your-keys") && !running.greeting.contains("canary"));
    let (status, answer) = running
        .send(reqwest::Method::POST, "/v1/sessions", json!({}))
        .await;
    assert_eq!(status, 402, "{answer}");
    let (status, _) = running
        .send(
            reqwest::Method::POST,
            "/__emulator/clock/advance",
            json!({ "ms": 1 }),
        )
        .await;
    assert_eq!(status, 200);

    let running = Running::start(&["--max-body", "1"]);
    for (length, expected) in [(1 << 19, 200), (1 << 20, 400)] {
        let body = json!({ "session": { "tags": ["x".repeat(length)] } });
        let (status, _) = running
            .send(reqwest::Method::POST, "/v1/sessions", body)
            .await;
        assert_eq!(status, expected, "{length}");
    }

    let running = Running::start(&["--key", "other", "--key=another", "--host", "127.0.0.1"]);
    assert!(running.base.starts_with("http://127.0.0.1:"));
    assert_eq!(
        running
            .send(reqwest::Method::POST, "/v1/sessions", json!({}))
            .await
            .0,
        401
    );
}

#[cfg(unix)]
#[tokio::test]
async fn beyond_loopback_it_warns() {
    let mut running = Running::start(&["--host", "0.0.0.0", "--log", "off"]);
    assert!(running.base.starts_with("http://127.0.0.1:"));
    let log = running.end("-TERM").1;
    assert!(
        log.contains("warning") && log.contains("beyond this machine"),
        "{log}"
    );
}

#[test]
fn wrong_use_is_explained() {
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["--prot", "1"], "--prot"),
        (&["--port", "x"], "--port"),
        (&["--port"], "--port"),
        (&["--host", "localhost"], "--host"),
        (&["--lenient=yes"], "--lenient"),
        (&["--key", ""], "--key"),
        (&["--key", "canary key"], "--key"),
        (&["--fail-rate", "1.5"], "--fail-rate"),
        (&["--fail-rate", "NaN"], "--fail-rate"),
        (&["--fail-items", "1,x"], "--fail-items"),
        (&["--credits", "-1"], "--credits"),
        (&["--max-body", "0"], "--max-body"),
        (&["--max-body", "18446744073709551615"], "--max-body"),
        (&["--log", "canary"], "--log"),
        (&["canary"], "options"),
        (&["-p", "1"], "options"),
        (&["--stateless=1"], "--stateless"),
        (&["--document", "/nowhere/x.yaml"], "document"),
        (&["--state", "/nowhere/x"], "state"),
        (&["--port", &port], &port),
    ];
    for (arguments, expected) in cases {
        let text = refused(arguments);
        assert!(
            text.contains(expected) && text.contains("hint:"),
            "{arguments:?}: {text}"
        );
        assert!(!text.contains("canary"), "{arguments:?}: {text}");
    }
}

#[test]
fn help_and_version() {
    for (option, expected) in [
        ("--help", "--local-webhooks"),
        ("-h", "--stateless"),
        ("--version", env!("CARGO_PKG_VERSION")),
        ("-V", env!("CARGO_PKG_VERSION")),
    ] {
        let output = program(&[option]).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains(expected));
    }
}
