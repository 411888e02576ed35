//! Days, as approvals name them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Date {
    /// Reads `YYYY-MM-DD`; `None` for anything else, and for days that never were.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let part = |from: usize, to: usize| -> Option<u64> {
            let digits = text.get(from..to)?;
            let all = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| all)
        };
        let date = Self {
            year: part(0, 4)?,
            month: part(5, 7)?,
            day: part(8, 10)?,
        };
        let dashed = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let real = (1..=12).contains(&date.month) && (1..=date.days_of_month()).contains(&date.day);
        (dashed && real).then_some(date)
    }

    /// The day it is, in UTC.
    pub(crate) fn today() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::from_days(since.unwrap_or_default().as_secs() / 86_400)
    }

    /// The day that is so many days after 1970-01-01.
    fn from_days(days: u64) -> Self {
        let mut date = Self {
            year: 1970,
            month: 1,
            day: 1,
        };
        let mut left = days;
        while left >= date.days_of_year() {
            left -= date.days_of_year();
            date.year += 1;
        }
        while left >= date.days_of_month() {
            left -= date.days_of_month();
            date.month += 1;
        }
        date.day += left;
        date
    }

    fn is_leap(self) -> bool {
        self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400))
    }

    fn days_of_year(self) -> u64 {
        365 + u64::from(self.is_leap())
    }

    fn days_of_month(self) -> u64 {
        match self.month {
            2 => 28 + u64::from(self.is_leap()),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_counted() {
        let days = [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (19_783, "2024-03-01"),
            (20_453, "2025-12-31"),
            (47_541, "2100-03-01"),
        ];
        for (days, text) in days {
            assert_eq!(Date::from_days(days).to_string(), text);
            assert_eq!(Date::parse(text), Some(Date::from_days(days)));
        }
        assert!(Date::today() > Date::from_days(20_000));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        let bad = "2026-02-29 2026-13-01 2026-00-10 2026-01-00 2026-1-1 26-01-01 2026/01/01 2026-01-01T +026-01-01 2026-01-0é tomorrow";
        for text in bad.split(' ').chain([""]) {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
