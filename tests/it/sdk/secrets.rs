//! Secrets show in no text: errors, `Debug`, `Display`, and the log of all levels.

use std::error::Error as _;
use std::io::Write;
use std::sync::{Arc, Mutex};

use anchorbrowser::identities::Credential;
use anchorbrowser::{Client, Error, Options, Proxy, Result};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::KEY;

/// What all planted secrets hold.
const CANARY: &str = "canary";

/// A log of everything.
#[derive(Clone, Default)]
pub(super) struct Log(pub(super) Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What a program prints that prints all it has.
#[derive(Default)]
struct Printed(Vec<String>);

impl Printed {
    fn debug(&mut self, value: impl std::fmt::Debug) {
        self.0.push(format!("{value:?} {value:#?}"));
    }

    fn error(&mut self, error: Error) {
        self.0.push(error.to_string());
        self.debug(&error);
        self.debug(error.source());
    }
}

/// Sessions, with a canary in the key, in headers, in a proxy's password, and in what a server says.
async fn sessions(client: &Client, emulator: &Emulator, printed: &mut Printed) -> Result<()> {
    printed.debug(client);
    printed.debug(Client::builder().api_key(KEY).header("x", "canary-header"));
    let options = Options::new()
        .header("x-secret", "canary-header")
        .query("q", "canary-query");
    printed.debug(&options);
    let client = client.with_options(options)?;

    let proxy = Proxy::custom("http://proxy.example:1", "user", "canary-proxy-password");
    printed.debug(&proxy);
    let create = client.sessions().create().proxy(proxy);
    printed.debug(&create);
    let session = create.send_owned().await?;
    assert!(
        session.cdp_url().expose().contains("canary"),
        "the key is in the CDP URL"
    );
    printed.debug(&session);
    printed.0.push(session.cdp_url().to_string());
    let attached = client.session(session.id());
    assert!(attached.cdp_url().expose().contains("canary"));
    printed.debug(attached.info().with_meta().await?);
    printed.debug(session.pages().await?);

    for fault in [
        Fault::status(400).text("text/plain", &format!("no {KEY}")),
        Fault::status(500).json(json!({ "error": format!("{KEY} canary-header") })),
        // Where texts are cut.
        Fault::status(400).text("text/plain", &format!("{}{KEY}", "x".repeat(190))),
        Fault::status(400).json(json!({ "error": format!("{} canary-header", "x".repeat(185)) })),
        Fault::status(400).json(json!({ "error": "what is canary-query?" })),
        Fault::invalid_json(),
        Fault::reset_after(),
        Fault::html(502),
    ] {
        emulator.fault(fault.on("get_session").always()).unwrap();
        printed.error(session.info().await.unwrap_err());
        emulator.clear_faults();
    }
    session.end().await
}

/// Webhooks, identities, agents: with a canary in what they are given; and secrets of the emulator's
/// own, which are given back.
async fn others(client: &Client, printed: &mut Printed) -> Result<Vec<String>> {
    let created = client
        .webhooks()
        .create("https://example.com/hook", ["session.ready"]);
    let created = created.send().await?;
    printed.debug(&created);
    let rotated = client.webhooks().rotate_secret(&created.webhook.id).await?;
    printed.debug(&rotated);

    let credential = Credential::password("user", "canary-password");
    printed.debug(&credential);
    let identity = client
        .identities()
        .create("https://example.com")
        .credential(credential);
    let identity = identity.credential(Credential::authenticator("canary-totp"));
    printed.debug(&identity);
    let identity = identity.send().await?;
    printed.debug(client.identities().get(&identity.id).await?);

    let task = client
        .agent()
        .task("Log in")
        .secret_value("PASSWORD", "canary-value");
    printed.debug(&task);
    printed.debug(task.run().await?);

    let secrets = [&created.secret, &rotated];
    Ok(secrets.map(|secret| secret.expose().to_owned()).into())
}

#[tokio::test]
async fn canaries_are_found_nowhere() -> anyhow::Result<()> {
    let emulator = Emulator::builder().start().await?;
    let client = super::client(&emulator);
    crate::callsites::ask_each_time();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(log.clone())
        .finish();
    let mut printed = Printed::default();
    let program = async {
        sessions(&client, &emulator, &mut printed).await?;
        others(&client, &mut printed).await
    };
    let secrets = program.with_subscriber(subscriber).await?;

    let log = String::from_utf8(log.0.lock().unwrap().clone())?;
    assert!(
        log.contains("create_session") && log.contains("delete_session"),
        "{log}"
    );
    for text in printed.0.iter().chain([&log]) {
        assert!(!text.contains(CANARY), "{text}");
        assert!(
            !secrets.iter().any(|secret| text.contains(secret)),
            "{text}"
        );
    }
    Ok(())
}
