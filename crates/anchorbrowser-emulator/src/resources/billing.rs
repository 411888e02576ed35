//! What things cost, the ledger, the balance, and how often sessions may be created.
//!
//! The tariff is made up: 0.01 credits for a session and 0.05 for each of its hours, both charged at its end, and
//! 0.01 for a step of an agent and for a page fetched without a session, charged when they happen. Credits don't
//! come back with a new month.

mod period;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal, rate_limit_headers, whole_seconds};
use crate::call::Call;
use crate::resources::sessions::Session;
use crate::resources::{Routes, agent_access};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) use period::{Granularity, Period};

pub(crate) const ROUTES: Routes = &[("GET /v1/billing", get)];

/// The one team of the emulated account.
pub(crate) const TEAM: &str = "7b1b1f4e-54c3-4f0c-9a40-0d6f2f6c1e01";
/// Its one project.
pub(crate) const PROJECT: &str = "2f6a8c1d-9be0-4b7e-8f0a-5f1d6f0f7a02";
/// Its tier. `growth` is the lowest that may do everything.
const TIER: &str = "growth";

/// Credits for a session.
pub(crate) const SESSION: f64 = 0.01;
/// Credits for an hour of a session.
pub(crate) const HOUR: f64 = 0.05;
/// Credits for a step of an agent, or a page fetched without a session.
pub(crate) const STEP: f64 = 0.01;

/// More buckets than this are refused.
const MOST_BUCKETS: usize = 1000;

/// What was charged within one hour. Single charges are not kept: there is no end to them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Charge {
    id: String,
    /// When the hour began.
    hour: Time,
    /// Millionths of a credit: their sums are exact.
    micros: u64,
}

impl Record for Charge {
    const KIND: &'static str = "charges";

    fn id(&self) -> &str {
        &self.id
    }
}

/// The window in which creations of sessions are counted. There is at most one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RateWindow {
    id: String,
    began: Time,
    used: u32,
}

impl Record for RateWindow {
    const KIND: &'static str = "rate_windows";

    fn id(&self) -> &str {
        &self.id
    }
}

/// The id of the one window.
const WINDOW: &str = "sessions";

/// A negative number, or none, counts as zero.
fn micros(credits: f64) -> u64 {
    (credits * 1e6).round() as u64
}

fn credits(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// Credits to charge for a session that has ended. Its steps are charged already.
pub(crate) fn session_credits(session: &Session) -> f64 {
    time_credits(session, session.ended.unwrap_or(session.created))
}

/// Credits that a session has used until `now`, its steps included.
pub(crate) fn session_credits_until(session: &Session, now: Time) -> f64 {
    let all = time_credits(session, now) + session.steps as f64 * STEP;
    credits(micros(all))
}

fn time_credits(session: &Session, now: Time) -> f64 {
    let hours = session.duration(now).as_secs_f64() / 3600.0;
    credits(micros(SESSION + hours * HOUR))
}

/// Takes credits from the account.
pub(crate) fn charge(world: &mut World, credits: f64) {
    let number = Granularity::Hour.number(world.now);
    let (id, micros) = (number.to_string(), micros(credits));
    match world.tables.charges.edit(&id) {
        Some(charge) => charge.micros = charge.micros.saturating_add(micros),
        None => world.tables.charges.insert(Charge {
            id,
            hour: Granularity::Hour.start(number),
            micros,
        }),
    }
}

/// Credits charged in the hours that fit.
fn charged(world: &World, fits: impl Fn(Time) -> bool) -> u64 {
    let charges = world
        .tables
        .charges
        .iter()
        .filter(|charge| fits(charge.hour));
    charges
        .map(|charge| charge.micros)
        .fold(0, u64::saturating_add)
}

/// Credits left, those given to agents included; less than zero if the last sessions took more than there was.
fn balance(world: &World) -> f64 {
    let used = credits(charged(world, |_| true));
    let left = world.config.account.credits + agent_access::granted(world) - used;
    (left * 1e6).round() / 1e6
}

/// Refuses what costs credits when there are none left.
pub(crate) fn solvent(world: &World) -> Result<(), Refusal> {
    if balance(world) > 0.0 {
        return Ok(());
    }
    Err(Refusal::new(402, "the account has no credits left"))
}

/// Counts one creation of sessions; 429 with the documented headers if there were too many.
///
/// The window is a fixed one: it begins with the first creation after the end of the last.
pub(crate) fn rate_limit(world: &mut World) -> Result<(), Refusal> {
    let (now, length) = (world.now, world.config.account.rate_window);
    let Some(limit) = world.config.account.session_rate_limit else {
        return Ok(());
    };
    let open = world
        .tables
        .rate_windows
        .get(WINDOW)
        .filter(|window| now < window.began.after(length));
    let (began, used) = open.map_or((now, 0), |window| (window.began, window.used));
    if used >= limit {
        return Err(too_many(limit, length, began.after(length).since(now)));
    }
    world.tables.rate_windows.insert(RateWindow {
        id: WINDOW.to_owned(),
        began,
        used: used + 1,
    });
    Ok(())
}

fn too_many(limit: u32, window: Duration, left: Duration) -> Refusal {
    let (window, left) = (whole_seconds(window), whole_seconds(left));
    let message = format!(
        "the account creates at most {limit} sessions in {window} s; try again in {left} s"
    );
    let refusal = Refusal::new(429, message);
    let headers = rate_limit_headers(limit, window, left);
    headers.into_iter().fold(refusal, |refusal, (name, value)| {
        refusal.header(name, value)
    })
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let period = Period::read(world, call)?;
    let account = &world.config.account;
    let month = Granularity::Month.number(world.now);
    let used = charged(world, |hour| Granularity::Month.number(hour) == month);
    let gifts = agent_access::granted(world);
    let mut answer = json!({ "data": {
        "credits": balance(world).max(0.0),
        "credits_used": credits(used),
        "included_credits": account.credits,
        "billing_period": world.now.date().format("%Y-%m").to_string(),
        "tier": TIER,
        // Gifts are used up last.
        "gifts_balance": balance(world).clamp(0.0, gifts),
        "max_concurrent_browsers": account.max_concurrent_browsers.map_or(-1, i64::from),
        "cost_limit": null,
    } });
    if ["from_date", "to_date", "granularity"]
        .iter()
        .any(|name| call.query.contains_key(*name))
    {
        answer["usage"] = usage(world, &period)?;
    }
    Ok(Answer::json(answer))
}

/// The charges of a period, by bucket. An hour that lies in it partly counts as a whole.
fn usage(world: &World, period: &Period) -> Result<Value, Refusal> {
    let granularity = period.granularity;
    if period.len() > MOST_BUCKETS {
        return Err(Refusal::bad(format!(
            "query granularity: the period has {} parts of one {}, and at most {MOST_BUCKETS} are answered; \
             take a coarser granularity or a shorter period",
            period.len(),
            granularity.name()
        )));
    }
    let hours = Period {
        granularity: Granularity::Hour,
        ..*period
    }
    .buckets();
    let mut buckets: BTreeMap<i64, u64> = period.buckets().map(|number| (number, 0)).collect();
    for charge in world.tables.charges.iter() {
        let within = hours.contains(&Granularity::Hour.number(charge.hour));
        if let Some(sum) = buckets
            .get_mut(&granularity.number(charge.hour))
            .filter(|_| within)
        {
            *sum = sum.saturating_add(charge.micros);
        }
    }
    let total = buckets.values().copied().fold(0, u64::saturating_add);
    let data = buckets.iter().map(|(number, sum)| {
        json!({ "date": granularity.start(*number).text(), "credits_used": credits(*sum) })
    });
    Ok(json!({
        "from_date": period.from.text(),
        "to_date": period.to.text(),
        "granularity": granularity.name(),
        "total_credits_used": credits(total),
        "data": data.collect::<Vec<Value>>(),
    }))
}
