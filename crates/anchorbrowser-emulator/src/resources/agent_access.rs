//! Keys for agents: a challenge is answered, and a key is given. Nothing about the identity of an agent is checked.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, billing, digest};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) const ROUTES: Routes = &[
    ("GET /v1/agent-access", guide),
    ("POST /v1/agent-access", submit),
    ("GET /v1/agent-access/challenge", challenge),
    ("GET /v1/agent-access/appendix/{appendixRef}", appendix),
];

const GUIDE: &str = "/v1/agent-access";
const CHALLENGE: &str = "/v1/agent-access/challenge";

/// The header for the key.
const KEY_HEADER: &str = "anchor-api-key";
/// The header for an agent's identity, which the emulator does not ask for.
const IDENTITY_HEADER: &str = "anchor-identity-token";

/// Credits with a key, and with one for an agent that gives an identity.
const ANONYMOUS: f64 = 5.0;
const WITH_IDENTITY: f64 = 25.0;

/// The time in which a challenge can be answered.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Minutes after which a session of an agent's key ends, whatever its request says.
const SESSION_MINUTES: u64 = 20;

/// A challenge that can still be answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Challenge {
    /// Also names the appendix.
    id: String,
    /// Digest of the token, which begins with the id.
    token: String,
    inventory: String,
    answer: String,
    expires: Time,
}

impl Record for Challenge {
    const KIND: &'static str = "challenges";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        Some(self.expires)
    }

    fn step(world: &mut World, id: &str) {
        world.tables.challenges.remove(id);
    }
}

/// A key that was given to an agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IssuedKey {
    /// Digest of the key; the key itself is not kept.
    id: String,
    created: Time,
    credits: f64,
}

impl Record for IssuedKey {
    const KIND: &'static str = "issued_keys";

    fn id(&self) -> &str {
        &self.id
    }
}

/// Whether a key was given to an agent.
pub(crate) fn issued(world: &World, key: &str) -> bool {
    world.tables.issued_keys.contains(&digest(key.as_bytes()))
}

/// How long a session may last that was made with a key whose digest begins with `owner`; `None` for keys that were
/// not given to agents.
pub(crate) fn session_limit(world: &World, owner: &str) -> Option<Duration> {
    let mut keys = world.tables.issued_keys.iter();
    keys.find(|key| key.id.starts_with(owner))
        .map(|_| Duration::from_secs(SESSION_MINUTES * 60))
}

/// Credits that the account got together with keys for agents.
pub(crate) fn granted(world: &World) -> f64 {
    // A sum of no numbers is -0.
    world
        .tables
        .issued_keys
        .iter()
        .map(|key| key.credits)
        .fold(0.0, |sum, credits| sum + credits)
}

fn next(method: &str, path: &str, description: &str) -> Value {
    json!({ "method": method, "path": path, "description": description })
}

/// What to read: the emulator's own page.
fn docs(world: &World) -> String {
    format!("{}/", world.base)
}

fn step(number: u8, method: &str, path: &str, why: &str) -> Value {
    json!({ "step": number, "method": method, "path": path, "why": why })
}

fn guide(world: &mut World, _: &Call<'_>) -> Outcome {
    Ok(Answer::json(json!({
        "purpose": "Gives an agent a key of its own for the emulated API.",
        "docs": docs(world),
        "credits": { "anonymous": ANONYMOUS, "with_identity": WITH_IDENTITY },
        "ttl_seconds": TIME_LIMIT.as_secs(),
        "limits": { "session_max_duration_minutes": SESSION_MINUTES },
        "flow": [
            step(1, "GET", CHALLENGE, "get a challenge and its token"),
            step(2, "GET", "/v1/agent-access/appendix/{appendixRef}", "read what the challenge asks about"),
            step(3, "POST", GUIDE, "send the token and the answer, and get a key"),
        ],
        "next": next("GET", CHALLENGE, "get a challenge"),
        "identity": {
            "optional": true,
            "extra_credits": WITH_IDENTITY - ANONYMOUS,
            "submit": "Send identity_token, and if you like identity_provider, together with the answer.",
            "oidc": [{
                "provider": "emulator",
                "issuer": world.base,
                "how": "Any text is taken as an identity_token; the emulator checks none.",
            }],
        },
    })))
}

fn challenge(world: &mut World, _: &Call<'_>) -> Outcome {
    let mut stock = || 1 + (world.ids.fraction() * 99.0) as u32;
    let (bolts, nuts, screws) = (stock(), stock(), stock());
    let id = world.ids.tagged("chl_");
    let token = format!("{id}.{}", world.ids.secret());
    let appendix = format!("/v1/agent-access/appendix/{id}");
    world.tables.challenges.add(Challenge {
        id: id.clone(),
        token: digest(token.as_bytes()),
        inventory: format!("bolts: {bolts}\nnuts: {nuts}\nscrews: {screws}\n"),
        answer: (bolts + nuts).to_string(),
        expires: world.now.after(TIME_LIMIT),
    })?;
    Ok(Answer::json(json!({
        "challenge": {
            "id": id,
            "type": "inventory",
            "icon": "box",
            "title": "Count the stock",
            "description": "The appendix has a line for each kind of part: its name, a colon, and the number.",
            "prompt": "How many bolts and nuts are there together? Answer with the number alone.",
            "timeLimit": TIME_LIMIT.as_secs(),
        },
        "token": token,
        "appendix_ref": id,
        "appendix_url": format!("{}{appendix}", world.base),
        "instructions": {
            "submit": format!("POST {GUIDE} with token and answer"),
            "appendix": format!("GET {appendix}"),
            "api_key_header": KEY_HEADER,
            "optional_identity": "Send identity_token as well to get more credits.",
            "anonymous_credits": ANONYMOUS,
            "identity_credits": WITH_IDENTITY,
        },
        "next": next("GET", &appendix, "read what the challenge asks about"),
    })))
}

fn appendix(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("appendixRef");
    let Some(challenge) = world.tables.challenges.get(id) else {
        return Err(Refusal::new(
            404,
            "path appendixRef: there is none, or its challenge is answered or too old; get a new one",
        ));
    };
    Ok(Answer::json(json!({
        "appendix_ref": id,
        "inventory": challenge.inventory,
        "next": next("POST", GUIDE, "send the token and the answer"),
    })))
}

/// An error with the step that helps. The shape is documented for these statuses.
fn refused(world: &World, status: u16, error: &str, next: Value) -> Outcome {
    let body = json!({ "error": error, "next": next, "docs": docs(world) });
    Ok(Answer::json(body).status(status))
}

/// A wrong answer may be mended until the challenge is too old; a right one uses it up.
fn submit(world: &mut World, call: &Call<'_>) -> Outcome {
    let text = |name| call.member(name).map(str::trim).unwrap_or_default();
    let (token, anew) = (text("token"), next("GET", CHALLENGE, "get a new challenge"));
    let id = token.split_once('.').map_or("", |(id, _)| id);
    let challenge = world
        .tables
        .challenges
        .get(id)
        .filter(|known| known.token == digest(token.as_bytes()));
    let Some(challenge) = challenge else {
        let error = "body.token: is not known, used up, or too old; get a new challenge";
        return refused(world, 401, error, anew);
    };
    if challenge.answer != text("answer") {
        let again = next("POST", GUIDE, "send the same token with another answer");
        return refused(
            world,
            400,
            "body.answer: is wrong; read the appendix again",
            again,
        );
    }
    let identified = call.member("identity_token").is_some();
    if identified && text("identity_token").is_empty() {
        let again = next("POST", GUIDE, "leave identity_token out, or give one");
        return refused(world, 400, "body.identity_token: must not be empty", again);
    }
    let credits = if identified { WITH_IDENTITY } else { ANONYMOUS };
    let (key, identity) = (format!("agent-{}", world.ids.secret()), world.ids.secret());
    world.tables.issued_keys.add(IssuedKey {
        id: digest(key.as_bytes()),
        created: world.now,
        credits,
    })?;
    let id = id.to_owned();
    world.tables.challenges.remove(&id);
    let mut answer = json!({
        "api_key": key,
        "project_id": billing::PROJECT,
        "credits_granted": credits,
        "auth": {
            "api_key_header": KEY_HEADER,
            "identity_token_header": IDENTITY_HEADER,
            "identity_token_required": false,
        },
        "upgrade": { "message": "The emulated account has everything already." },
        "next": next("POST", "/v1/sessions", "start a session with the key"),
        "docs": docs(world),
        "limits": { "session_max_duration_minutes": SESSION_MINUTES },
    });
    if identified {
        answer["agent_identity_token"] = json!(identity);
    }
    Ok(Answer::json(answer))
}
