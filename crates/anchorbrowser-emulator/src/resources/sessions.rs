//! Sessions: creation, their end by hand, by idleness and by age, tags and pages.

mod rules;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, agents, billing, history, logins, profiles, recordings, volumes, webhooks};
use crate::time::Time;
use crate::world::{Record, World, hex};

pub(crate) use rules::{check, limits};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/sessions", create),
    ("GET /v1/sessions/{session_id}", get),
    ("DELETE /v1/sessions/{session_id}", delete),
    ("DELETE /v1/sessions/all", delete_all),
    ("GET /v1/sessions/{session_id}/tags", tags),
    ("PUT /v1/sessions/{session_id}/tags", put_tags),
    ("DELETE /v1/sessions/{session_id}/tags", delete_tags),
    ("GET /v1/sessions/{session_id}/pages", pages),
];

/// What the document says of a session without these settings.
const MAX_DURATION: Duration = Duration::from_secs(20 * 60);
const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Without `Debug`: its configuration may hold the password of a proxy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// `running`, `completed` or `failed`.
    pub(crate) status: String,
    pub(crate) created: Time,
    pub(crate) ended: Option<Time>,
    /// The request that made it; may hold the password of a proxy.
    pub(crate) configuration: Value,
    pub(crate) tags: Vec<String>,
    /// Digest of the key that made it.
    pub(crate) owner: String,
    pub(crate) batch: Option<String>,
    /// Started by a task, not by a request for a session.
    pub(crate) task_initiated: bool,
    pub(crate) executions: u32,
    max_duration: Option<Duration>,
    idle_timeout: Option<Duration>,
    /// When something was last connected to it.
    pub(crate) active: Time,
    /// What is connected to it now: agents, task runs, CDP clients. While there is one, it is not idle.
    pub(crate) connections: u32,
    pub(crate) pages: Vec<Page>,
    pub(crate) clipboard: String,
    pub(crate) agent_paused: bool,
    pub(crate) steps: u64,
    pub(crate) screenshots: u64,
    pub(crate) proxy_bytes: u64,
    pub(crate) network_bytes: u64,
    pub(crate) domains: Vec<String>,
    /// Credits used; known when it has ended.
    pub(crate) credits: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) url: String,
}

impl Record for Session {
    const KIND: &'static str = "sessions";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        if self.ended.is_some() {
            return None;
        }
        let oldest = self.max_duration.map(|age| self.created.after(age));
        let idle = self.idle_timeout.filter(|_| self.connections == 0);
        oldest.into_iter().chain(idle.map(|idle| self.active.after(idle))).min()
    }

    fn step(world: &mut World, id: &str) {
        end(world, id, "completed");
    }
}

impl Session {
    pub(crate) fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether a switch of the configuration, such as `/browser/headless`, is on.
    pub(crate) fn switch(&self, pointer: &str, default: bool) -> bool {
        switch(&self.configuration, pointer, default)
    }

    pub(crate) fn has_proxy(&self) -> bool {
        self.switch("/session/proxy", false)
    }

    pub(crate) fn duration(&self, now: Time) -> Duration {
        self.ended.unwrap_or(now).since(self.created)
    }

    /// The name shown for the key; not the key.
    pub(crate) fn key_name(&self) -> String {
        format!("key-{}", self.owner.get(..6).unwrap_or_default())
    }

    /// Opens `url` in the first page.
    pub(crate) fn visit(&mut self, url: &str) {
        // What one small page weighs; the emulator loads none.
        const PAGE_BYTES: u64 = 50_000;
        let host = host(url);
        if let Some(page) = self.pages.first_mut() {
            page.url = url.to_owned();
            page.title = host.clone().unwrap_or_default();
        }
        self.network_bytes += PAGE_BYTES;
        if self.has_proxy() {
            self.proxy_bytes += PAGE_BYTES;
        }
        if let Some(host) = host
            && !self.domains.contains(&host)
        {
            self.domains.push(host);
        }
    }
}

/// The host of an absolute URL.
fn host(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    uri.host().map(str::to_owned)
}

/// The member `active` of the object at `pointer`.
pub(crate) fn switch(configuration: &Value, pointer: &str, default: bool) -> bool {
    configuration
        .pointer(pointer)
        .and_then(|part| part.get("active"))
        .and_then(Value::as_bool)
        .unwrap_or(default)
}

/// The digest by which a session knows the key that made it.
pub(crate) fn owner(key: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let mut digits = hex(&digest);
    digits.truncate(16);
    digits
}

/// Where a session comes from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) owner: String,
    pub(crate) batch: Option<String>,
    pub(crate) task_initiated: bool,
}

/// Starts a session with a configuration that [`check`] has passed, and gives its id.
pub(crate) fn start(world: &mut World, configuration: &Value, origin: Origin) -> Result<String, Refusal> {
    let id = world.ids.uuid();
    let minutes = |name: &str, default| match configuration.pointer(&format!("/session/timeout/{name}")) {
        Some(value) => value.as_u64().map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        None => Some(default),
    };
    let tags = configuration.pointer("/session/tags").and_then(Value::as_array);
    let mut session = Session {
        status: "running".to_owned(),
        created: world.now,
        ended: None,
        tags: tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        owner: origin.owner,
        batch: origin.batch,
        task_initiated: origin.task_initiated,
        executions: 0,
        max_duration: minutes("max_duration", MAX_DURATION),
        idle_timeout: minutes("idle_timeout", IDLE_TIMEOUT),
        active: world.now,
        connections: 0,
        pages: vec![Page {
            id: world.ids.secret().to_uppercase()[..32].to_owned(),
            title: String::new(),
            url: "about:blank".to_owned(),
        }],
        clipboard: String::new(),
        agent_paused: false,
        steps: 0,
        screenshots: 0,
        proxy_bytes: 0,
        network_bytes: 0,
        domains: Vec::new(),
        credits: None,
        configuration: configuration.clone(),
        id: id.clone(),
    };
    if let Some(url) = configuration.pointer("/session/initial_url").and_then(Value::as_str) {
        session.visit(url);
    }
    world.tables.sessions.add(session)?;
    recordings::begin(world, &id);
    volumes::mount(world, &id);
    Ok(id)
}

/// Ends a session, if it runs; `status` is `completed` or `failed`.
pub(crate) fn end(world: &mut World, id: &str, status: &str) -> bool {
    let now = world.now;
    let Some(session) = world.tables.sessions.edit(id).filter(|session| session.is_running()) else {
        return false;
    };
    // With a run in it, it is not idle: what is due then is its age.
    let expired = session.due().is_some_and(|due| due <= now);
    let connected = session.connections > 0;
    session.ended = Some(now);
    session.connections = 0;
    status.clone_into(&mut session.status);
    let credits = billing::session_credits(session);
    // Steps were charged when they were made; they belong to the session's own figure.
    session.credits = Some(billing::session_credits_until(session, now));
    let data = json!({
        "session_id": id,
        "status": status,
        "duration": session.duration(now).as_secs(),
        "tags": session.tags,
    });
    if connected {
        agents::session_ended(world, id, expired);
    }
    billing::charge(world, credits);
    profiles::persist(world, id);
    logins::abandon(world, id);
    volumes::unmount(world, id);
    recordings::finish(world, id);
    webhooks::emit(world, if status == "failed" { "session.failed" } else { "session.completed" }, data);
    true
}

/// The addresses of a session: CDP, with the key in it as in the real one, and live view.
pub(crate) fn addresses(world: &World, id: &str, key: &str) -> (String, String) {
    let socket = world.base.replacen("http", "ws", 1);
    let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
    (
        format!("{socket}/?apiKey={key}&sessionId={id}"),
        format!("{}/__emulator/live?sessionId={id}", world.base),
    )
}

/// The session of the path, running and now in use.
pub(crate) fn running<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Session, Refusal> {
    in_use(world, call, call.session())
}

/// The session `id`, running and now in use. Ended ones are refused with 400 where the document has it, else with 404.
pub(crate) fn in_use<'w>(world: &'w mut World, call: &Call<'_>, id: &str) -> Result<&'w mut Session, Refusal> {
    let now = world.now;
    let session = world.tables.sessions.edit(id).ok_or_else(|| Refusal::missing("session", id))?;
    if !session.is_running() {
        let documented = call.operation.answers().iter().any(|answer| answer.status() == 400);
        let message = format!("the session `{id}` has ended; this operation needs a running one");
        return Err(Refusal::new(if documented { 400 } else { 404 }, message));
    }
    session.active = now;
    Ok(session)
}

/// The session of the path, running or ended.
fn known<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Session, Refusal> {
    let id = call.session();
    world.tables.sessions.get(id).ok_or_else(|| Refusal::missing("session", id))
}

/// The session of the path, to be changed.
fn edit<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Session, Refusal> {
    let id = call.session();
    world.tables.sessions.edit(id).ok_or_else(|| Refusal::missing("session", id))
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    check(world, call.body())?;
    limits(world, 1)?;
    let origin = Origin { owner: owner(call.key), ..Origin::default() };
    let id = start(world, call.body(), origin)?;
    let (cdp_url, live_view_url) = addresses(world, &id, call.key);
    webhooks::emit(world, "session.ready", json!({ "session_id": id }));
    Ok(Answer::data(json!({ "id": id, "cdp_url": cdp_url, "live_view_url": live_view_url })))
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let now = world.now;
    let session = known(world, call)?;
    let seconds = session.duration(now).as_secs();
    let credits = session.credits.unwrap_or_else(|| billing::session_credits_until(session, now));
    Ok(Answer::data(json!({
        "session_id": session.id,
        "team_id": billing::TEAM,
        "duration": seconds,
        "status": session.status,
        "credits_used": credits,
        "configuration": history::configuration(session),
        "proxy_bytes": session.proxy_bytes,
        "tokens": {},
        "steps": session.steps,
        "tags": session.tags,
        "created_at": session.created.text(),
    })))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?.id.clone();
    // Ending what has ended is done, not refused: a repeated DELETE is harmless.
    end(world, &id, "completed");
    Ok(Answer::done())
}

fn delete_all(world: &mut World, call: &Call<'_>) -> Outcome {
    let owner = owner(call.key);
    for id in world.tables.sessions.ids(|session| session.is_running() && session.owner == owner) {
        end(world, &id, "completed");
    }
    Ok(Answer::done())
}

fn tags(world: &mut World, call: &Call<'_>) -> Outcome {
    let tags = &known(world, call)?.tags;
    let tags = if tags.is_empty() { Value::Null } else { json!(tags) };
    Ok(Answer::json(json!({ "tags": tags })))
}

fn put_tags(world: &mut World, call: &Call<'_>) -> Outcome {
    let tags = call.body().get("tags").and_then(Value::as_array);
    let tags = tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    edit(world, call)?.tags = tags;
    Ok(Answer::json(json!({ "success": true, "message": "the tags were replaced" })))
}

fn delete_tags(world: &mut World, call: &Call<'_>) -> Outcome {
    edit(world, call)?.tags.clear();
    Ok(Answer::json(json!({ "success": true, "message": "the tags were removed" })))
}

fn pages(world: &mut World, call: &Call<'_>) -> Outcome {
    let base = world.base.clone();
    let session = running(world, call)?;
    let items: Vec<Value> = session
        .pages
        .iter()
        .map(|page| {
            let frontend = format!("{base}/__emulator/live?sessionId={}&page={}", session.id, page.id);
            json!({ "id": page.id, "title": page.title, "url": page.url, "frontend_url": frontend })
        })
        .collect();
    Ok(Answer::data(json!({ "count": items.len(), "items": items })))
}
