//! The same requests get the same answers, with a restart between them too.

use std::path::Path;
use std::time::Duration;

use anchorbrowser_emulator::{AgentScript, Builder, Emulator};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::agent_access;
use crate::held::held;
use crate::support::{Api, Reply};

/// Sends requests, and keeps what was answered.
struct Flow {
    api: Api,
    /// Request, status and body of every answer; the emulator's address is left out.
    answers: Vec<String>,
    /// What can be read of the things that were made.
    paths: Vec<String>,
}

impl Flow {
    async fn start(builder: Builder) -> Self {
        let api = Api::with(builder).await;
        Self {
            api,
            answers: Vec::new(),
            paths: Vec::new(),
        }
    }

    fn note(&mut self, what: &str, status: u16, body: &str) {
        let address = self.api.emulator.address().to_string();
        self.answers
            .push(format!("{what} {status} {body}").replace(&address, "HOST"));
    }

    async fn send(&mut self, what: &str, request: RequestBuilder) -> Reply {
        let reply = self.api.send(request).await;
        self.note(what, reply.status, &String::from_utf8_lossy(&reply.bytes));
        reply
    }

    async fn get(&mut self, path: &str) -> Reply {
        let request = self.api.request(Method::GET, path);
        self.send(path, request).await
    }

    async fn post(&mut self, path: &str, body: Value) -> Reply {
        let request = self.api.request(Method::POST, path).json(&body);
        self.send(path, request).await.ok()
    }

    async fn upload(&mut self, path: &str, form: Form) -> Reply {
        let request = self.api.request(Method::POST, path).multipart(form);
        self.send(path, request).await.ok()
    }

    /// Reads these from now on, with `{}` for the id.
    fn see(&mut self, id: &str, paths: &[&str]) {
        let paths = paths.iter().map(|path| path.replace("{}", id));
        self.paths.extend(paths);
    }

    async fn advance(&mut self, by: u64) {
        // What is sent is noted with the time at which it was sent.
        self.api.emulator.deliveries_done().await;
        self.api.advance(Duration::from_millis(by));
        self.api.emulator.deliveries_done().await;
    }

    /// Reads all that can be read.
    async fn look(&mut self) -> Vec<String> {
        self.api.emulator.deliveries_done().await;
        let first = self.answers.len();
        for path in self.paths.clone() {
            self.get(&path).await;
        }
        self.answers.split_off(first)
    }
}

fn file(name: &str, bytes: &'static [u8]) -> Form {
    let part = Part::bytes(bytes).file_name(name.to_owned());
    Form::new().part("file", part)
}

/// One thing of every kind, some of them under way.
async fn live(flow: &mut Flow) {
    let hook = json!({ "url": "https://hooks.example.com", "subscribed_events":
        ["session.ready", "session.completed", "batch.completed", "task.completed", "identity.authenticated"] });
    let hook = flow.post("/v1/webhooks", hook).await.text("/id");
    flow.see(
        &hook,
        &[
            "/v1/webhooks/{}",
            "/v1/webhooks/{}/events?include_payload=true&limit=100",
        ],
    );
    flow.see(
        "",
        &[
            "/v1/webhooks",
            "/v1/billing?granularity=day",
            "/v1/sessions?limit=50",
            "/v1/sessions/all/status",
            "/v1/sessions/history?metrics=credits_used,ai_steps",
            "/v1/sessions/pending-interventions",
        ],
    );
    let session = sessions(flow).await;
    agents(flow, &session).await;
    batches(flow).await;
    files(flow, &session).await;
    identities(flow, &session).await;
    tasks(flow).await;
    let (token, answer) = agent_access::challenge(&flow.api).await;
    let solution = json!({ "token": token, "answer": answer });
    flow.post("/v1/agent-access", solution).await;
    let challenge = flow.get("/v1/agent-access/challenge").await.ok();
    flow.see(
        &challenge.text("/appendix_ref"),
        &["/v1/agent-access/appendix/{}"],
    );
    let integration = json!({ "name": "i", "type": "1PASSWORD", "credentials":
        { "type": "serviceAccount", "data": { "serviceAccount": "s" } } });
    let request = flow
        .api
        .request(Method::POST, "/v1/integrations")
        .json(&integration);
    flow.send("integration", request).await;
    flow.see("", &["/v1/integrations"]);
    flow.post("/v1/events/e", json!({ "data": { "a": 1 } }))
        .await;
}

async fn sessions(flow: &mut Flow) -> String {
    let proxy = json!({ "active": true, "type": "custom", "server": "http://p.example", "username": "u", "password": "p" });
    let body = json!({ "session": { "tags": ["b", "a"], "proxy": proxy, "timeout": { "idle_timeout": 30 } } });
    let session = flow.post("/v1/sessions", body).await.text("/data/id");
    let ended = flow.post("/v1/sessions", json!({})).await.text("/data/id");
    let path = format!("/v1/sessions/{session}");
    flow.post(
        &format!("{path}/goto"),
        json!({ "url": "https://a.example/b.csv" }),
    )
    .await;
    flow.post(&format!("{path}/keyboard/type"), json!({ "text": "typed" }))
        .await;
    let profile = json!({ "name": "p", "source": "session", "session_id": session });
    flow.post("/v1/profiles", profile).await;
    let request = flow
        .api
        .request(Method::DELETE, &format!("/v1/sessions/{ended}"));
    flow.send("end", request).await;
    for id in [&session, &ended] {
        flow.see(
            id,
            &[
                "/v1/sessions/{}",
                "/v1/sessions/{}/tags",
                "/v1/sessions/{}/pages",
                "/v1/sessions/{}/recordings",
                "/v1/sessions/{}/downloads",
                "/v1/sessions/{}/clipboard",
                "/v1/sessions/{}/agent/files",
                "/v1/sessions/{}/screenshot",
                "/v1/sessions/{}/agent/requested-human-intervention",
            ],
        );
    }
    flow.see("", &["/v1/profiles", "/v1/profiles/p"]);
    session
}

/// One that is done, and one that asks.
async fn agents(flow: &mut Flow, session: &str) {
    let path = format!("/v1/tools/perform-web-task?sessionId={session}");
    let schema =
        json!({ "type": "object", "properties": { "n": { "type": "number" } }, "required": ["n"] });
    let body = json!({ "prompt": "a", "async": true, "human_intervention": true, "output_schema": schema });
    for asks in [false, true] {
        if asks {
            let script = AgentScript::completed("done").asks("which one?");
            flow.api.emulator.script(script).unwrap();
        }
        let run = flow.post(&path, body.clone()).await;
        flow.see(
            &run.text("/data/workflow_id"),
            &["/v1/tools/perform-web-task/{}/status"],
        );
        flow.advance(400).await;
    }
}

async fn batches(flow: &mut Flow) {
    let batch = flow
        .post(
            "/v1/batch-sessions",
            json!({ "count": 4, "metadata": { "m": [1] } }),
        )
        .await;
    flow.see(
        &batch.text("/data/batch_id"),
        &["/v1/batch-sessions/{}", "/v1/batch-sessions"],
    );
    flow.advance(600).await;
    for _ in 0..3 {
        let request = flow.post("/v1/sessions/async", json!({})).await;
        flow.see(
            &request.text("/data/request_id"),
            &["/v1/sessions/async/{}/status"],
        );
    }
}

async fn files(flow: &mut Flow, session: &str) {
    let volume = flow
        .post("/v1/volumes", json!({ "name": "v" }))
        .await
        .text("/data/id");
    let path = format!("/v1/volumes/{volume}/files");
    flow.upload(&path, file("a.txt", b"one").text("path", "d/a.txt"))
        .await;
    flow.post(
        &format!("{path}/upload-url"),
        json!({ "path": "b.bin", "size": 3 }),
    )
    .await;
    flow.see(
        &volume,
        &[
            "/v1/volumes",
            "/v1/volumes/{}",
            "/v1/volumes/{}/files?recursive=true",
            "/v1/volumes/{}/paths",
            "/v1/volumes/{}/files/stat?path=d/a.txt",
        ],
    );
    let mounts = json!({ "browser": { "volume": { "id": volume } } });
    let mounts = flow.post("/v1/sessions", mounts).await.text("/data/id");
    flow.post(
        &format!("/v1/sessions/{mounts}/goto"),
        json!({ "url": "https://a.example/c.zip" }),
    )
    .await;
    flow.upload(
        &format!("/v1/sessions/{session}/agent/files"),
        file("a.json", b"{}"),
    )
    .await;
    let extension = flow
        .upload(
            "/v1/extensions",
            file("e.zip", b"PK\x03\x04").text("name", "e"),
        )
        .await;
    flow.upload("/v1/certificates", file("c.pem", b"c").text("name", "c"))
        .await;
    flow.see(
        &extension.text("/data/id"),
        &["/v1/extensions", "/v1/extensions/{}", "/v1/certificates"],
    );
}

async fn identities(flow: &mut Flow, session: &str) {
    for user in ["ann@example.com", "fail@example.com"] {
        let credentials =
            json!([{ "type": "username_password", "username": user, "password": "p" }]);
        let body = json!({ "source": "https://app.example.com", "credentials": credentials, "metadata": { "b": 1, "a": 2 } });
        let identity = flow.post("/v1/identities", body).await;
        flow.see(&identity.text("/id"), &["/v1/identities/{}"]);
        flow.advance(300).await;
    }
    let application = flow
        .get("/v1/applications")
        .await
        .ok()
        .text("/applications/0/id");
    let path = format!("/v1/applications/{application}");
    let methods = json!({ "name": "f", "methods": ["username_password"], "is_recommended": true });
    flow.post(&format!("{path}/auth-flows"), methods).await;
    flow.see(
        &path,
        &["/v1/applications", "{}", "{}/identities", "{}/auth-flows"],
    );
    let start = json!({ "url": "https://slow.example.com", "host": "slow.example.com" });
    let login = held(
        &flow.api,
        &format!("/v1/identities/dynamic/start/{session}"),
        start,
    )
    .await;
    flow.advance(500).await;
    let (status, view) = login.await.unwrap();
    flow.note("login", status, &view.to_string());
    flow.see(session, &["/v1/identities/dynamic/state/{}"]);
}

async fn tasks(flow: &mut Flow) {
    let body = json!({ "name": "t", "language": "typescript", "code": "YQ==", "browserConfiguration": { "tags": ["t"] } });
    let task = flow.post("/v1/task", body).await.text("/data/id");
    let path = format!("/v1/task/{task}");
    flow.post(&format!("{path}/deploy"), json!({ "description": "first" }))
        .await;
    let run = flow
        .post("/v1/task/run", json!({ "taskId": task, "async": true }))
        .await;
    flow.see(
        &run.text("/data/executionResultId"),
        &["/v2/tasks/runs/{}/status"],
    );
    flow.see(
        &path,
        &[
            "/v1/task",
            "{}",
            "{}/versions",
            "{}/latest",
            "{}/draft",
            "{}/executions",
        ],
    );
    let body = json!({ "taskName": "g", "taskPrompt": "p", "output_schema": [{ "name": "n", "type": "number" }] });
    let generated = flow.post("/v2/tasks/generate", body).await.text("/id");
    flow.see(&generated, &["/v2/tasks/{}/generation-status"]);
}

fn builder(seed: u64) -> Builder {
    let builder = Emulator::builder().manual_clock().seed(seed);
    builder
        .account(|account| account.session_rate_limit = Some(1_000))
        .failures(|failures| failures.session_rate = 0.4)
}

fn kept(path: &Path) -> Builder {
    builder(1).state(path)
}

#[tokio::test]
async fn one_seed_gives_one_course_of_things() {
    let mut courses = Vec::new();
    for seed in [1, 1, 2] {
        let mut flow = Flow::start(builder(seed)).await;
        live(&mut flow).await;
        let mut course = std::mem::take(&mut flow.answers);
        course.extend(flow.look().await);
        flow.advance(3_600_000).await;
        course.extend(flow.look().await);
        courses.push(course);
    }
    assert_eq!(courses[0], courses[1]);
    assert_ne!(courses[0], courses[2]);
}

/// Kinds of records of which there is none.
async fn lacking(flow: &Flow) -> Vec<String> {
    let state = flow.api.get("/__emulator/state").await.ok().at("/counts");
    let counts = state.as_object().unwrap().iter();
    let empty = counts.filter(|(_, count)| **count == 0);
    empty.map(|(kind, _)| kind.clone()).collect()
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (mut twin, mut flow) = (
        Flow::start(builder(1)).await,
        Flow::start(kept(&path)).await,
    );
    live(&mut twin).await;
    live(&mut flow).await;
    assert_eq!(lacking(&flow).await, Vec::<String>::new());
    assert_eq!(twin.look().await, flow.look().await);
    let Flow { api, paths, .. } = flow;
    api.emulator.shutdown().await;
    let mut flow = Flow::start(kept(&path)).await;
    flow.paths = paths;
    for by in [0, 100, 1_000, 60_000, 3_600_000, 8 * 24 * 3_600_000] {
        twin.advance(by).await;
        flow.advance(by).await;
        assert_eq!(twin.look().await, flow.look().await, "{by} ms later");
    }
    for flow in [&mut twin, &mut flow] {
        flow.answers.clear();
        batches(flow).await;
        flow.advance(10_000).await;
    }
    assert_eq!(twin.answers, flow.answers, "new ids are the same too");
    assert_eq!(twin.look().await, flow.look().await);
}
