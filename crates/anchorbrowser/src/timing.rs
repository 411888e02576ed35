//! Times as the API counts them: minutes here, milliseconds there, and `-1` for never.

use std::time::Duration;

use crate::error::{Error, Result};

/// Whole milliseconds.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Whole seconds, rounded up: a limit is never shorter than was asked for.
pub(crate) fn seconds(duration: Duration) -> i64 {
    i64::try_from(rounded_up(duration)).unwrap_or(i64::MAX)
}

/// Whole minutes, rounded up.
pub(crate) fn minutes(duration: Duration) -> i64 {
    i64::try_from(rounded_up(duration).div_ceil(60)).unwrap_or(i64::MAX)
}

fn rounded_up(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(part)
}

/// A number of seconds, or of another unit, that the API gives; `None` if it is no length of time.
pub(crate) fn from_number(number: f64, unit: Duration) -> Option<Duration> {
    Duration::try_from_secs_f64(number * unit.as_secs_f64()).ok()
}

/// Refuses a time of zero.
pub(crate) fn not_zero(operation: &'static str, name: &str, duration: Duration) -> Result<()> {
    if duration.is_zero() {
        let message = format!("`{name}` must be longer than zero");
        return Err(Error::invalid(operation, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rounded_up_to_the_unit() {
        for (millis_in, seconds_out, minutes_out) in
            [(0, 0, 0), (1, 1, 1), (60_000, 60, 1), (60_001, 61, 2)]
        {
            let duration = Duration::from_millis(millis_in);
            assert_eq!(seconds(duration), seconds_out);
            assert_eq!(minutes(duration), minutes_out);
        }
        assert_eq!(seconds(Duration::MAX), i64::MAX);
        assert_eq!(minutes(Duration::MAX), u64::MAX.div_ceil(60) as i64);
        assert_eq!(millis(Duration::MAX), i64::MAX);
    }

    #[test]
    fn numbers_that_are_no_time_are_none() {
        let second = Duration::from_secs(1);
        assert_eq!(from_number(1.5, second), Some(Duration::from_millis(1500)));
        for number in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(from_number(number, second), None);
        }
    }
}
