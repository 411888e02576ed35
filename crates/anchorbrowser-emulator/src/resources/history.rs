//! Sessions of the past and present: lists with filters, and figures over time.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::billing::{self, Period};
use crate::resources::sessions::{self, Session};
use crate::resources::{Page, Routes, listed, page};
use crate::time::Time;
use crate::world::World;

pub(crate) const ROUTES: Routes = &[
    ("GET /v1/sessions", list),
    ("GET /v1/sessions/all/status", statuses),
    ("GET /v1/sessions/history", history),
];

/// What a list of sessions is narrowed down to.
#[derive(Debug, Default)]
struct Filter {
    /// Parts of tags, in lower case; one of them must fit.
    search: Vec<String>,
    status: Option<String>,
    /// All of them must be there.
    tags: Vec<String>,
    /// All of them must be there.
    domains: Vec<String>,
    from: Option<Time>,
    to: Option<Time>,
    batch: Option<String>,
    task_initiated: Option<bool>,
    proxy: Option<bool>,
    extra_stealth: Option<bool>,
    /// A part of the profile's name, in lower case.
    profile: Option<String>,
}

impl Filter {
    fn read(call: &Call<'_>) -> Self {
        let text = |name| {
            call.text(name)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        Self {
            search: call
                .list("search")
                .iter()
                .map(|term| term.to_lowercase())
                .collect(),
            status: text("status"),
            tags: call.list("tags"),
            domains: call.list("domains"),
            from: call.time("created_from"),
            to: call.time("created_to"),
            batch: text("batch_id"),
            task_initiated: call.flag("task_initiated"),
            proxy: call.flag("proxy"),
            extra_stealth: call.flag("extra_stealth"),
            profile: text("profile_name").map(|name| name.to_lowercase()),
        }
    }

    fn fits(&self, session: &Session) -> bool {
        let is = |wanted: Option<bool>, value| wanted.is_none_or(|wanted| wanted == value);
        let profile = session
            .configuration
            .pointer("/browser/profile/name")
            .and_then(Value::as_str);
        self.searched(session)
            && self
                .status
                .as_ref()
                .is_none_or(|status| *status == session.status)
            && self.tags.iter().all(|tag| session.tags.contains(tag))
            && self.domains.iter().all(|domain| {
                session
                    .domains
                    .iter()
                    .any(|seen| seen.eq_ignore_ascii_case(domain))
            })
            && self.from.is_none_or(|from| from <= session.created)
            && self.to.is_none_or(|to| session.created <= to)
            && (self.batch.is_none() || self.batch == session.batch)
            && is(self.task_initiated, session.task_initiated)
            && is(self.proxy, session.has_proxy())
            && is(
                self.extra_stealth,
                session.switch("/browser/extra_stealth", false),
            )
            && self
                .profile
                .as_ref()
                .is_none_or(|part| profile.is_some_and(|name| name.to_lowercase().contains(part)))
    }

    fn searched(&self, session: &Session) -> bool {
        let fits = |term: &String| {
            session
                .tags
                .iter()
                .any(|tag| tag.to_lowercase().contains(term))
        };
        self.search.is_empty() || self.search.iter().any(fits)
    }
}

fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let filter = Filter::read(call);
    let mut found: Vec<&Session> = world
        .tables
        .sessions
        .iter()
        .filter(|session| filter.fits(session))
        .collect();
    sort(&mut found, call)?;
    let number = call.number("page").unwrap_or(1);
    let page = page(found, number, call.number("limit").unwrap_or(10));
    let items: Vec<Value> = page
        .items
        .iter()
        .map(|session| item(session, world.now))
        .collect();
    Ok(Answer::data(json!({
        "sessions": items,
        "total": page.total,
        "page": page.number,
        "total_pages": page.pages,
    })))
}

/// Sorts as the request asks for. The list is in order of creation, which decides between equals.
fn sort(found: &mut [&Session], call: &Call<'_>) -> Result<(), Refusal> {
    match call.text("sort_by").unwrap_or("created_at") {
        "created_at" => found.sort_by_key(|session| session.created),
        "session_id" => found.sort_by(|one, other| one.id.cmp(&other.id)),
        // What is not known yet comes before the rest.
        "used_credits" => found.sort_by(|one, other| {
            let credits = |session: &Session| session.credits.unwrap_or(-1.0);
            credits(one).total_cmp(&credits(other))
        }),
        "api_key_name" => found.sort_by_cached_key(|session| session.key_name()),
        _ => {
            return Err(Refusal::bad(
                "query sort_by: must be one of created_at, session_id, used_credits, api_key_name",
            ));
        }
    }
    if call.text("sort_order") == Some("desc") {
        found.reverse();
    }
    Ok(())
}

fn item(session: &Session, now: Time) -> Value {
    let proxy = session.has_proxy();
    let credits = session
        .credits
        .map_or(json!("N/A"), |credits| json!(credits));
    let kind = session
        .configuration
        .pointer("/session/proxy/type")
        .and_then(Value::as_str);
    let listed = |items: &[String]| {
        if items.is_empty() {
            Value::Null
        } else {
            json!(items)
        }
    };
    json!({
        "id": session.id,
        "status": session.status,
        "tags": listed(&session.tags),
        "headless": session.switch("/browser/headless", false),
        "recording": session.switch("/session/recording", true),
        "used_credits": credits,
        "proxy_bytes": proxy.then_some(session.proxy_bytes),
        "proxy_type": proxy.then(|| kind.unwrap_or("anchor_proxy")),
        "steps": session.steps,
        "duration": session.duration(now).as_secs_f64(),
        "created_at": session.created.text(),
        "user_configuration": configuration(session),
        "task_initiated": session.task_initiated,
        "task_executions_count": session.executions,
        "api_key_name": session.key_name(),
        // Of the range kept for documentation; without a proxy none was seen.
        "browser_ip": proxy.then_some("203.0.113.10"),
        "domains": listed(&session.domains),
    })
}

/// The configuration as it was given, without the password of a proxy.
pub(crate) fn configuration(session: &Session) -> Value {
    let mut shown = Value::Object(
        session
            .configuration
            .as_object()
            .cloned()
            .unwrap_or_default(),
    );
    if let Some(proxy) = shown
        .pointer_mut("/session/proxy")
        .and_then(Value::as_object_mut)
    {
        proxy.remove("password");
    }
    shown
}

fn statuses(world: &mut World, call: &Call<'_>) -> Outcome {
    let (filter, owner) = (Filter::read(call), sessions::owner(call.key));
    let own = world
        .tables
        .sessions
        .iter()
        .filter(|session| session.owner == owner);
    let items: Vec<Value> = own
        .filter(|session| filter.fits(session))
        .map(|session| {
            json!({
                "session_id": session.id,
                "status": session.status,
                "tags": session.tags,
                "created_at": session.created.text(),
            })
        })
        .collect();
    Ok(listed(items))
}

/// Figures of some sessions.
#[derive(Debug, Default)]
struct Figures {
    sessions: u64,
    proxy_bytes: u64,
    steps: u64,
    seconds: f64,
    credits: f64,
    screenshots: u64,
    network_bytes: u64,
}

/// One figure: its name in a point, its name in the summary, and how it is read.
type Metric = (&'static str, &'static str, fn(&Figures) -> Value);

const METRICS: [Metric; 7] = [
    ("session_count", "total_sessions", |it| json!(it.sessions)),
    ("proxy_bytes", "total_proxy_bytes", |it| {
        json!(it.proxy_bytes)
    }),
    ("ai_steps", "total_ai_steps", |it| json!(it.steps)),
    ("session_hours", "total_session_hours", |it| {
        json!(it.seconds / 3600.0)
    }),
    // Sums of floating-point numbers are off by a little.
    ("credits_used", "total_credits_used", |it| {
        json!((it.credits * 1e6).round() / 1e6)
    }),
    ("screenshots", "total_screenshots", |it| {
        json!(it.screenshots)
    }),
    ("network_bytes_total", "total_network_bytes_total", |it| {
        json!(it.network_bytes)
    }),
];

impl Figures {
    fn add(&mut self, session: &Session, now: Time) {
        self.sessions += 1;
        self.proxy_bytes += session.proxy_bytes;
        self.steps += session.steps;
        self.seconds += session.duration(now).as_secs_f64();
        self.credits += session
            .credits
            .unwrap_or_else(|| billing::session_credits_until(session, now));
        self.screenshots += session.screenshots;
        self.network_bytes += session.network_bytes;
    }
}

/// The figures that the points have.
fn metrics(call: &Call<'_>) -> Result<Vec<Metric>, Refusal> {
    let names = call.list("metrics");
    if !call.query.contains_key("metrics") {
        return Ok(METRICS.iter().take(1).copied().collect());
    }
    if names.is_empty()
        || !names
            .iter()
            .all(|name| METRICS.iter().any(|metric| metric.0 == name))
    {
        let known: Vec<&str> = METRICS.iter().map(|metric| metric.0).collect();
        return Err(Refusal::bad(format!(
            "query metrics: must be some of {}",
            known.join(", ")
        )));
    }
    let wanted = METRICS
        .iter()
        .filter(|metric| names.iter().any(|name| name == metric.0));
    Ok(wanted.copied().collect())
}

/// A session counts, with all that it did, in the bucket in which it was created.
fn history(world: &mut World, call: &Call<'_>) -> Outcome {
    let (period, metrics) = (Period::read(world, call)?, metrics(call)?);
    let (mut buckets, mut sum) = (BTreeMap::<i64, Figures>::new(), Figures::default());
    for session in world
        .tables
        .sessions
        .iter()
        .filter(|it| period.contains(it.created))
    {
        let number = period.granularity.number(session.created);
        buckets.entry(number).or_default().add(session, world.now);
        sum.add(session, world.now);
    }
    // A period may have millions of buckets: only those of the page are looked at.
    let size = call.number("limit").unwrap_or(100).clamp(1, 1000);
    let number = call.number("page").unwrap_or(1).max(1);
    let (total, pages) = (period.len(), period.len().div_ceil(size));
    let none = Figures::default();
    let points: Vec<Value> = period
        .buckets()
        .skip((number - 1).saturating_mul(size))
        .take(size)
        .map(|bucket| {
            let figures = buckets.get(&bucket).unwrap_or(&none);
            let mut point = Map::new();
            point.insert("date".to_owned(), json!(period.granularity.label(bucket)));
            point.extend(
                metrics
                    .iter()
                    .map(|(name, _, read)| ((*name).to_owned(), read(figures))),
            );
            Value::Object(point)
        })
        .collect();
    let summary: Map<String, Value> = METRICS
        .iter()
        .map(|(_, name, read)| ((*name).to_owned(), read(&sum)))
        .collect();
    let page = Page {
        items: points,
        number,
        pages,
        total,
    };
    Ok(Answer::json(json!({
        "data": page.items,
        "summary": summary,
        "pagination": page.pagination(),
    })))
}
