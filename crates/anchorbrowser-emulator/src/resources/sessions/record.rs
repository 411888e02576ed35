//! What a session is, how it starts and how it ends.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::browser;
use crate::answer::Refusal;
use crate::resources::{
    agent_access, agents, billing, digest, identities, logins, recordings, session_files, volumes,
    webhooks,
};
use crate::time::Time;
use crate::world::{Event, Record, World};

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
    /// The asynchronous request that made it.
    request: Option<String>,
    /// Started by a task, not by a request for a session.
    pub(crate) task_initiated: bool,
    pub(crate) executions: u32,
    /// When it is ready, if it is not yet: it is configured, or waits for the logins of its identities.
    pub(crate) opens: Option<Time>,
    max_duration: Option<Duration>,
    idle_timeout: Option<Duration>,
    /// When something was last connected to it.
    pub(crate) active: Time,
    /// What is connected to it now: agents, task runs, CDP clients. While there is one, it is not idle.
    pub(crate) connections: u32,
    /// Sockets that clients have open to its browser or its live view. They don't outlast the emulator.
    #[serde(skip_deserializing)]
    pub(super) sockets: u32,
    /// Somebody has seen its live view.
    #[serde(default)]
    pub(super) viewed: bool,
    /// Its browser is not ready yet. After a restart there is none to wait for.
    #[serde(skip)]
    pub(crate) launching: bool,
    pub(crate) pages: Vec<Page>,
    pub(crate) clipboard: String,
    /// The text typed or pasted last, which counts as selected. May be a password.
    pub(crate) typed: Option<String>,
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
        let opens = self.opens.filter(|_| self.is_running() && !self.launching);
        opens.into_iter().chain(self.ends()).min()
    }

    fn step(world: &mut World, id: &str) {
        if !open(world, id) {
            end(world, id, "completed");
        }
    }
}

impl Session {
    fn new(world: &mut World, id: &str, configuration: &Value, origin: Origin) -> Self {
        let tags = configuration
            .pointer("/session/tags")
            .and_then(Value::as_array);
        Self {
            id: id.to_owned(),
            status: "running".to_owned(),
            created: world.now,
            ended: None,
            tags: tags
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            owner: origin.owner,
            batch: origin.batch,
            request: origin.request,
            task_initiated: origin.task_initiated,
            executions: 0,
            opens: None,
            max_duration: timeout(configuration, "max_duration", MAX_DURATION),
            idle_timeout: timeout(configuration, "idle_timeout", IDLE_TIMEOUT),
            active: world.now,
            connections: 0,
            sockets: 0,
            viewed: false,
            launching: false,
            pages: vec![Page {
                id: world.ids.secret().to_uppercase()[..32].to_owned(),
                title: String::new(),
                url: "about:blank".to_owned(),
            }],
            clipboard: String::new(),
            typed: None,
            agent_paused: false,
            steps: 0,
            screenshots: 0,
            proxy_bytes: 0,
            network_bytes: 0,
            domains: Vec::new(),
            credits: None,
            configuration: configuration.clone(),
        }
    }

    /// When it ends by itself: old, or idle.
    fn ends(&self) -> Option<Time> {
        if self.ended.is_some() {
            return None;
        }
        let oldest = self.max_duration.map(|age| self.created.after(age));
        let idle = self
            .idle_timeout
            .filter(|_| self.connections == 0 && self.sockets == 0);
        oldest
            .into_iter()
            .chain(idle.map(|idle| self.active.after(idle)))
            .min()
    }

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
        if let Some(page) = self.pages.first_mut() {
            page.url = url.to_owned();
            page.title = host(url).unwrap_or_default();
        }
        self.loaded(url);
    }

    /// Counts a page that was loaded.
    pub(super) fn loaded(&mut self, url: &str) {
        // What one small page weighs; nobody weighs those that browsers load.
        const PAGE_BYTES: u64 = 50_000;
        self.network_bytes += PAGE_BYTES;
        if self.has_proxy() {
            self.proxy_bytes += PAGE_BYTES;
        }
        if let Some(host) = host(url)
            && !self.domains.contains(&host)
        {
            self.domains.push(host);
        }
    }
}

/// The host of an absolute URL.
fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// A timeout of a configuration, which has minutes; `None` for no limit.
fn timeout(configuration: &Value, name: &str, usual: Duration) -> Option<Duration> {
    match configuration.pointer(&format!("/session/timeout/{name}")) {
        Some(value) => value
            .as_u64()
            .map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        None => Some(usual),
    }
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
    let mut digits = digest(key.as_bytes());
    digits.truncate(16);
    digits
}

/// Where a session comes from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) owner: String,
    pub(crate) batch: Option<String>,
    /// The asynchronous request for it.
    pub(crate) request: Option<String>,
    pub(crate) task_initiated: bool,
    /// How long it takes until it is ready, at least.
    pub(crate) configuring: Duration,
}

/// Starts a session with a configuration that [`super::check`] has passed, and gives its id. Its identities log in;
/// it is ready when that is over, unless its configuration says that it does not wait for it.
pub(crate) fn start(
    world: &mut World,
    configuration: &Value,
    origin: Origin,
) -> Result<String, Refusal> {
    let id = world.ids.uuid();
    let configured = world.now.after(origin.configuring);
    let mut session = Session::new(world, &id, configuration, origin);
    if let Some(most) = agent_access::session_limit(world, &session.owner) {
        session.max_duration = Some(session.max_duration.map_or(most, |age| age.min(most)));
    }
    if let Some(url) = configuration
        .pointer("/session/initial_url")
        .and_then(Value::as_str)
    {
        session.visit(url);
    }
    world.tables.sessions.add(session)?;
    recordings::begin(world, &id);
    volumes::used(world, &id);
    let logins = identities::log_in(world, configuration);
    let waits = configuration.get("identity_async_auth") != Some(&Value::Bool(true));
    let opens = logins.filter(|_| waits).max(Some(configured));
    let launching = browser::launch(world, &id);
    match opens.filter(|opens| launching || *opens > world.now) {
        Some(_) => {
            if let Some(session) = world.tables.sessions.edit(&id) {
                session.opens = opens;
                session.launching = launching;
            }
        }
        None => tell_ready(world, &id),
    }
    Ok(id)
}

/// What webhooks are told of a session: which it is, and what made it.
fn event(session: &Session) -> Value {
    let mut data = json!({
        "session_id": session.id,
        "status": session.status,
        "tags": session.tags,
    });
    if let Some(batch) = &session.batch {
        data["batch_id"] = json!(batch);
    }
    if let Some(request) = &session.request {
        data["request_id"] = json!(request);
    }
    data
}

/// Lets a session be ready whose time for that has come; says whether it was so.
pub(crate) fn open(world: &mut World, id: &str) -> bool {
    let now = world.now;
    let Some(session) =
        world.tables.sessions.edit(id).filter(|session| {
            !session.launching && session.opens.is_some_and(|opens| opens <= now)
        })
    else {
        return false;
    };
    session.opens = None;
    session.active = now;
    tell_ready(world, id);
    true
}

fn tell_ready(world: &mut World, id: &str) {
    if let Some(data) = world.tables.sessions.get(id).map(event) {
        webhooks::emit(world, "session.ready", data);
    }
}

/// Ends a session, if it runs; `status` is `completed` or `failed`.
pub(crate) fn end(world: &mut World, id: &str, status: &str) -> bool {
    let now = world.now;
    let Some(session) = world
        .tables
        .sessions
        .edit(id)
        .filter(|session| session.is_running())
    else {
        return false;
    };
    // With a run in it, it is not idle: what is due then is its age.
    let expired = session.ends().is_some_and(|ends| ends <= now);
    let connected = session.connections > 0;
    session.ended = Some(now);
    session.opens = None;
    session.connections = 0;
    let launching = std::mem::take(&mut session.launching);
    // May be passwords, and nobody can ask for them any more.
    session.clipboard.clear();
    session.typed = None;
    status.clone_into(&mut session.status);
    let credits = billing::session_credits(session);
    // Steps were charged when they were made; they belong to the session's own figure.
    session.credits = Some(billing::session_credits_until(session, now));
    let mut data = event(session);
    data["duration"] = json!(session.duration(now).as_secs());
    if connected {
        agents::session_ended(world, id, expired);
    }
    billing::charge(world, credits);
    browser::end_browser(world, id, launching);
    logins::abandon(world, id);
    volumes::used(world, id);
    recordings::finish(world, id);
    session_files::forget(world, id);
    agents::room(world);
    webhooks::emit(
        world,
        if status == "failed" {
            "session.failed"
        } else {
            "session.completed"
        },
        data,
    );
    world.followers.tell(id, &Event::Ended);
    true
}

/// Ends a session, and takes it off the record with all that belongs to it. What it was charged stays charged.
pub(crate) fn remove(world: &mut World, id: &str) -> bool {
    end(world, id, "completed");
    recordings::forget(world, id);
    world.tables.sessions.remove(id).is_some()
}
