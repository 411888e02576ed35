//! The guided login: a person is led through the login of a site, step by step, in a running session.
//!
//! It goes from a decision (password or single sign-on) over a form to its end. What a form is given decides how it
//! goes on: a value `wrong`, or the user `fail@example.com`, is rejected, and the third rejection in a row fails the
//! login. Some hosts are special:
//!
//! - `mfa.example.com` asks for a second factor after the password,
//! - `locked.example.com` fails after the password, for good,
//! - `slow.example.com` shows `detection_failed` first, and the decision one step later by itself,
//! - `undetectable.example.com` shows `detection_failed` after every start.

mod answers;
mod views;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::identities::{self, FAILING_USER, Guided};
use crate::resources::sessions::{self, Session};
use crate::resources::{Routes, Secret, applications, profiles};
use crate::time::Time;
use crate::world::{Record, Topic, World};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/identities/dynamic/start/{session_id}", start),
    ("GET /v1/identities/dynamic/state/{session_id}", state),
    ("POST /v1/identities/dynamic/resolve/{session_id}", resolve),
    (
        "POST /v1/identities/dynamic/finalize/{session_id}",
        finalize,
    ),
];

const MFA_HOST: &str = "mfa.example.com";
const LOCKED_HOST: &str = "locked.example.com";
const SLOW_HOST: &str = "slow.example.com";
const UNDETECTABLE_HOST: &str = "undetectable.example.com";

/// A value that every form rejects.
const WRONG: &str = "wrong";
/// With so many rejections in a row a login has failed.
const REJECTIONS: u32 = 3;

/// Where a login stands when no step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Start,
    Decision,
    Password,
    SingleSignOn,
    SecondFactor,
    Undetected,
    Authenticated,
    /// Too many rejections; may be started anew.
    Failed,
    /// The site has locked the account.
    Locked,
}

/// The login of one session, which its id is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Login {
    session: String,
    graph: u64,
    url: String,
    host: String,
    stage: Stage,
    /// The step that runs: where it is meant to lead, where it leads, and when it is over.
    step: Option<Step>,
    /// When the host, which was not detected at first, is.
    detects: Option<Time>,
    /// Rejections in a row.
    rejections: u32,
    credentials: Secret<Vec<Value>>,
    /// Why the login can't be repeated without a person.
    by_person: Vec<String>,
    /// The identity that it was saved as.
    identity: Option<String>,
    updated: Time,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Step {
    target: Stage,
    result: Stage,
    settles: Time,
}

impl Record for Login {
    const KIND: &'static str = "logins";

    fn id(&self) -> &str {
        &self.session
    }

    fn due(&self) -> Option<Time> {
        self.step.map(|step| step.settles).or(self.detects)
    }

    fn step(world: &mut World, id: &str) {
        let (now, detection) = (world.now, world.config.timing.login);
        if let Some(login) = world.tables.logins.edit(id) {
            login.settle(now);
            if login.stage == Stage::Undetected && login.host == SLOW_HOST {
                login.detects = Some(now.after(detection));
            }
        }
    }
}

impl Login {
    fn begin(session: &str, graph: u64, url: &str, host: &str, now: Time) -> Self {
        Self {
            session: session.to_owned(),
            graph,
            url: url.to_owned(),
            host: host.to_owned(),
            stage: Stage::Start,
            step: None,
            detects: None,
            rejections: 0,
            credentials: Secret::default(),
            by_person: Vec::new(),
            identity: None,
            updated: now,
        }
    }

    /// Does what is due: the step that runs is over, or the host is detected.
    fn settle(&mut self, now: Time) {
        self.updated = now;
        match self.step.take() {
            Some(step) => self.stage = step.result,
            None if self.detects.is_some() => self.stage = Stage::Decision,
            None => {}
        }
        self.detects = None;
    }

    /// Where a form leads that was sent with these values; takes note of them.
    fn submit(&mut self, option: &views::FormOption, values: &[(&str, &str)]) -> Stage {
        if values
            .iter()
            .any(|(_, value)| [WRONG, FAILING_USER].contains(value))
        {
            self.rejections += 1;
            return if self.rejections < REJECTIONS {
                self.stage
            } else {
                Stage::Failed
            };
        }
        self.rejections = 0;
        let value = |name: &str| {
            values
                .iter()
                .find(|(known, _)| *known == name)
                .map_or("", |(_, value)| value)
        };
        match option.kind {
            "credentials" => {
                let (username, password) = (value("username"), value("password"));
                self.credentials.0 = vec![
                    json!({ "type": "username_password", "username": username, "password": password }),
                ];
            }
            "totp_secret" => {
                self.credentials
                    .0
                    .push(json!({ "type": "authenticator", "secret": value("secret") }));
            }
            _ => {}
        }
        if let Some(why) = option.by_person {
            self.by_person.push(why.to_owned());
        }
        match (self.stage, self.host.as_str()) {
            (Stage::Password, MFA_HOST) => Stage::SecondFactor,
            (Stage::Password, LOCKED_HOST) => Stage::Locked,
            _ => Stage::Authenticated,
        }
    }
}

/// The request that waits for a step of the login.
fn waiting(session: &str) -> Topic {
    Topic::Run(format!("guided login in session {session}"))
}

/// Forgets the login of a session that has ended; who waits for its step is refused.
pub(crate) fn abandon(world: &mut World, session: &str) {
    if world.tables.logins.remove(session).is_some() {
        let message = format!("the session `{session}` ended before the login was over");
        world.release(&waiting(session), &Err(Refusal::new(404, message)));
    }
}

/// The session of the path, running and now in use; for logins an ended one is as good as none.
fn running<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Session, Refusal> {
    sessions::running(world, call).map_err(|refusal| Refusal {
        status: 404,
        ..refusal
    })
}

/// The login of the path.
fn known(world: &mut World, call: &Call<'_>) -> Result<Login, Refusal> {
    let id = running(world, call)?.id.clone();
    let login = world.tables.logins.get(&id).cloned();
    login.ok_or_else(|| {
        Refusal::new(
            404,
            format!("the session `{id}` has no guided login; start one"),
        )
    })
}

/// The login of the path, which must not be in a step.
fn settled(world: &mut World, call: &Call<'_>) -> Result<Login, Refusal> {
    let login = known(world, call)?;
    idle(&login).map(|()| login)
}

fn idle(login: &Login) -> Result<(), Refusal> {
    match login.step {
        Some(_) => Err(Refusal::conflict(
            "a step of the login runs; poll its state until the phase is `settled`",
        )),
        None => Ok(()),
    }
}

/// Runs a step. The answer is the view after it, and comes when it is over.
fn run(
    world: &mut World,
    call: &Call<'_>,
    mut login: Login,
    target: Stage,
    result: Stage,
) -> Outcome {
    let settles = world.now.after(world.config.timing.login);
    login.step = Some(Step {
        target,
        result,
        settles,
    });
    login.detects = None;
    login.updated = world.now;
    // The view holds the key of this request, which no record may have: it is made now, not when the step is over.
    let mut after = login.clone();
    after.settle(settles);
    let view = views::view(world, &after, call.key);
    let topic = waiting(&login.session);
    world.tables.logins.add(login)?;
    Ok(world.hold(topic, Some(settles), Ok(Answer::json(view))))
}

fn start(world: &mut World, call: &Call<'_>) -> Outcome {
    running(world, call)?;
    let url = call.member("url").unwrap_or_default();
    let given = call.member("host").unwrap_or_default().to_ascii_lowercase();
    let of_url = applications::host(url)
        .ok_or_else(|| Refusal::bad("body.url: must be an http or https URL with a host"))?;
    let plain = of_url
        .rsplit_once(':')
        .map_or(of_url.as_str(), |(plain, _)| plain);
    if given != of_url && given != plain {
        return Err(Refusal::bad("body.host: must be the host of body.url"));
    }
    if let Some(login) = world.tables.logins.get(call.session()) {
        idle(login)?;
    }
    running(world, call)?;
    sessions::visit(world, call.session(), url);
    let graph = world.ids.number() % 1_000_000;
    let login = Login::begin(call.session(), graph, url, &given, world.now);
    let result = match given.as_str() {
        SLOW_HOST | UNDETECTABLE_HOST => Stage::Undetected,
        _ => Stage::Decision,
    };
    run(world, call, login, Stage::Decision, result)
}

fn state(world: &mut World, call: &Call<'_>) -> Outcome {
    let login = known(world, call)?;
    Ok(Answer::json(views::state(world, &login, call.key)))
}

fn resolve(world: &mut World, call: &Call<'_>) -> Outcome {
    let mut login = settled(world, call)?;
    match login.stage {
        Stage::Decision => {
            let next = answers::chosen(call)?;
            run(world, call, login, next, next)
        }
        Stage::Password | Stage::SingleSignOn | Stage::SecondFactor => {
            let option = answers::option(call, views::options(login.stage))?;
            let values = answers::values(call, option)?;
            let result = login.submit(option, &values);
            run(world, call, login, Stage::Authenticated, result)
        }
        _ => Err(Refusal::conflict(
            "the present view asks nothing; start the login anew, or finalize it",
        )),
    }
}

fn finalize(world: &mut World, call: &Call<'_>) -> Outcome {
    let mut login = settled(world, call)?;
    if login.stage != Stage::Authenticated {
        return Err(Refusal::conflict(
            "the login is not authenticated; resolve its steps first",
        ));
    }
    if let Some(identity) = &login.identity {
        return Err(Refusal::conflict(format!(
            "the login was saved already, as the identity `{identity}`"
        )));
    }
    let profile = match call.member("profile_name") {
        Some(name) => name.to_owned(),
        None => format!("{}-{}", login.host, login.graph),
    };
    profiles::check_name(world, "body.profile_name", &profile)?;
    profiles::from_session(world, &profile, &login.session)?;
    let guided = Guided {
        name: call
            .member("identity_name")
            .unwrap_or(&login.host)
            .to_owned(),
        source: login.url.clone(),
        credentials: login.credentials.clone(),
        profile: profile.clone(),
    };
    let identity = identities::from_login(world, guided).inspect_err(|_| {
        world.tables.profiles.remove(&profile);
    })?;
    let answer = Answer::json(json!({
        "identityId": identity,
        "profileName": profile,
        "automatable": login.by_person.is_empty(),
        "nonAutomatableReasons": login.by_person,
    }));
    login.identity = Some(identity);
    login.updated = world.now;
    world.tables.logins.insert(login);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_credentials() {
        let mut login = Login::begin(
            "session",
            1,
            "https://example.com",
            "example.com",
            Time::START,
        );
        login.stage = Stage::Password;
        login.submit(
            &views::options(Stage::Password)[0],
            &[("username", "canary-1"), ("password", "canary-2")],
        );
        assert_eq!(login.credentials.kinds(), ["username_password"]);
        assert!(!format!("{login:?} {login:#?}").contains("canary"));
    }
}
