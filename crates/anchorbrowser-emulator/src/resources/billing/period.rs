//! Periods of time, and the buckets into which figures over time are put. All in UTC.

use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::{Datelike as _, NaiveDate, SecondsFormat};

use crate::answer::Refusal;
use crate::call::Call;
use crate::time::Time;
use crate::world::World;

/// How far a period goes back if its start is not given.
const USUAL: Duration = Duration::from_secs(30 * DAY.unsigned_abs());

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// 1970-01-05, a Monday, in seconds: weeks begin on Mondays.
const MONDAY: i64 = 4 * DAY;

/// How long a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granularity {
    Hour,
    Day,
    Week,
    Month,
}

impl Granularity {
    fn read(call: &Call<'_>) -> Self {
        match call.text("granularity") {
            Some("hour") => Self::Hour,
            Some("week") => Self::Week,
            Some("month") => Self::Month,
            _ => Self::Day,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The number of the bucket that `time` is in. Numbers of successive buckets are successive.
    pub(crate) fn number(self, time: Time) -> i64 {
        let seconds = time.seconds();
        match self {
            Self::Hour => seconds.div_euclid(HOUR),
            Self::Day => seconds.div_euclid(DAY),
            Self::Week => (seconds - MONDAY).div_euclid(WEEK),
            Self::Month => {
                let date = time.date();
                i64::from(date.year()) * 12 + i64::from(date.month0())
            }
        }
    }

    /// When a bucket begins.
    pub(crate) fn start(self, number: i64) -> Time {
        let seconds = match self {
            Self::Hour => number.saturating_mul(HOUR),
            Self::Day => number.saturating_mul(DAY),
            Self::Week => number.saturating_mul(WEEK).saturating_add(MONDAY),
            Self::Month => month_start(number),
        };
        Time(seconds.saturating_mul(1000))
    }

    /// The name of a bucket: its first day, or its first minute if it is shorter than a day.
    pub(crate) fn label(self, number: i64) -> String {
        let start = self.start(number).date();
        match self {
            Self::Hour => start.to_rfc3339_opts(SecondsFormat::Secs, true),
            _ => start.format("%Y-%m-%d").to_string(),
        }
    }
}

fn month_start(number: i64) -> i64 {
    // Month 0 of year 0, should a number be out of the calendar's range: numbers come from times, which are in it.
    let year = i32::try_from(number.div_euclid(12)).unwrap_or_default();
    let month = u32::try_from(number.rem_euclid(12)).unwrap_or_default() + 1;
    let date = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

/// What a request for figures over time asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) from: Time,
    pub(crate) to: Time,
    pub(crate) granularity: Granularity,
}

impl Period {
    /// From `from_date`, `to_date` and `granularity`; by default the last 30 days, by day.
    pub(crate) fn read(world: &World, call: &Call<'_>) -> Result<Self, Refusal> {
        let to = call.time("to_date").unwrap_or(world.now);
        let usual = || Time(to.0.saturating_sub(Time(0).after(USUAL).0));
        let from = call.time("from_date").unwrap_or_else(usual);
        if from > to {
            let end = match call.time("to_date") {
                Some(_) => "to_date",
                None => "the present time; give a to_date as well",
            };
            return Err(Refusal::bad(format!(
                "query from_date: must not be after {end}"
            )));
        }
        Ok(Self {
            from,
            to,
            granularity: Granularity::read(call),
        })
    }

    /// Both ends are in it.
    pub(crate) fn contains(&self, time: Time) -> bool {
        (self.from..=self.to).contains(&time)
    }

    /// The buckets that have a part in it.
    pub(crate) fn buckets(&self) -> RangeInclusive<i64> {
        self.granularity.number(self.from)..=self.granularity.number(self.to)
    }

    /// How many buckets there are.
    pub(crate) fn len(&self) -> usize {
        let buckets = self.buckets();
        usize::try_from(buckets.end() - buckets.start() + 1).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_where_its_number_changes() {
        let time = |text| Time::parse(text).unwrap();
        for (granularity, within, label) in [
            (
                Granularity::Hour,
                "2026-02-28T23:59:59.999Z",
                "2026-02-28T23:00:00Z",
            ),
            (Granularity::Day, "2026-02-28T23:59:59.999Z", "2026-02-28"),
            (Granularity::Week, "2026-03-01T23:59:59.999Z", "2026-02-23"),
            (Granularity::Week, "2026-02-23T00:00:00Z", "2026-02-23"),
            (Granularity::Month, "2026-12-31T23:59:59.999Z", "2026-12-01"),
            (Granularity::Day, "1969-12-31T12:00:00Z", "1969-12-31"),
            (Granularity::Week, "1969-12-31T12:00:00Z", "1969-12-29"),
            (Granularity::Month, "0000-01-01T00:00:00Z", "0000-01-01"),
        ] {
            let number = granularity.number(time(within));
            assert_eq!(granularity.label(number), label, "{granularity:?}");
            let start = granularity.start(number);
            assert_eq!(granularity.number(start), number, "{granularity:?}");
            assert_eq!(
                granularity.number(Time(start.0 - 1)),
                number - 1,
                "{granularity:?}"
            );
        }
    }
}
