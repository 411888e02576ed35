//! Points in time, in milliseconds. All of them come from the emulator's clock.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Time(pub(crate) i64);

impl Time {
    /// 2026-01-01T00:00:00Z: where a manual clock starts.
    pub(crate) const START: Self = Self(1_767_225_600_000);

    pub(crate) fn system() -> Self {
        // Before 1970 only on a machine without a clock.
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Reads RFC 3339.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parsed = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self(parsed.timestamp_millis()))
    }

    pub(crate) fn date(self) -> DateTime<Utc> {
        // Out of chrono's range only after some 260,000 years on a manual clock.
        Utc.timestamp_millis_opt(self.0)
            .single()
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// RFC 3339 with milliseconds, as the API writes it.
    pub(crate) fn text(self) -> String {
        self.date().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time plus a duration; saturating.
    pub(crate) fn after(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// Real time that never goes back: not when the machine's clock is put back, and not behind a stored state that was
/// made ahead of it.
#[derive(Debug)]
pub(crate) struct Steady(Mutex<(Time, Instant)>);

impl Steady {
    /// Starts now, or at `earliest` if that is later.
    pub(crate) fn new(earliest: Time) -> Self {
        Self(Mutex::new((Time::system().max(earliest), Instant::now())))
    }

    pub(crate) fn now(&self) -> Time {
        self.at(Time::system(), Instant::now())
    }

    fn at(&self, system: Time, instant: Instant) -> Time {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = last.0.after(instant.saturating_duration_since(last.1));
        // The instant is kept while it gains less than a millisecond: else time would stand still under load.
        if system > steady {
            *last = (system, instant);
        } else if steady > last.0 {
            *last = (steady, last.1 + steady.since(last.0));
        }
        last.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_time_never_goes_back() {
        let (start, millis) = (Instant::now(), Duration::from_millis);
        let far = Time(Time::system().0 + 1_000_000_000);
        let clock = Steady(Mutex::new((far, start)));
        assert_eq!(clock.at(Time(0), start), far);
        assert_eq!(clock.at(Time(0), start + millis(5)), Time(far.0 + 5));
        // Parts of milliseconds add up.
        for part in 1..=10 {
            clock.at(
                Time(0),
                start + millis(5) + Duration::from_micros(100 * part),
            );
        }
        assert_eq!(clock.at(Time(0), start + millis(6)), Time(far.0 + 6));
        // Put forward, it follows.
        assert_eq!(
            clock.at(Time(far.0 + 99), start + millis(7)),
            Time(far.0 + 99)
        );
        assert_eq!(clock.at(Time(far.0), start), Time(far.0 + 99));
    }
}
