use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, kept as it was sent: the API sends text in several forms, and numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp {
    text: String,
    is_number: bool,
}

impl Timestamp {
    /// As it was sent; a number as its digits.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The time, if it can be understood: RFC 3339, the same without an offset (taken as UTC), a
    /// date alone (its beginning in UTC), or the seconds or milliseconds since 1970. A number is
    /// in milliseconds from 100,000,000,000 on, which as seconds would be the year 5138.
    pub fn to_utc(&self) -> Option<DateTime<Utc>> {
        let text = self.text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(time.to_utc());
        }
        if let Ok(number) = text.parse() {
            return from_epoch(number);
        }
        let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .into_iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        let date = || {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        };
        local.or_else(date).map(|time| time.and_utc())
    }

    fn number(digits: impl fmt::Display) -> Self {
        Self {
            text: digits.to_string(),
            is_number: true,
        }
    }
}

fn from_epoch(number: f64) -> Option<DateTime<Utc>> {
    let millis = if number.abs() < 1e11 {
        number * 1000.0
    } else {
        number
    };
    if !millis.is_finite() {
        return None;
    }
    // Saturates, and chrono refuses what is out of its range.
    DateTime::from_timestamp_millis(millis.round() as i64)
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self {
            text,
            is_number: false,
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As it came: text or number.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_number {
            if let Ok(number) = self.text.parse::<i64>() {
                return serializer.serialize_i64(number);
            }
            if let Ok(number) = self.text.parse::<f64>() {
                return serializer.serialize_f64(number);
            }
        }
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl Visitor<'_> for Visit {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time as text or number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Ok(text.into())
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Timestamp, E> {
                Ok(text.into())
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Timestamp, E> {
                Ok(Timestamp::number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Timestamp, E> {
                Ok(Timestamp::number(number))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Timestamp, E> {
                Ok(Timestamp::number(number))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

super::json_schema!(
    Timestamp,
    "Timestamp",
    |_generator| schemars::json_schema!({
        "type": ["string", "number"],
        "format": "date-time",
    })
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_in_each_form_and_sent_back_as_they_came() -> serde_json::Result<()> {
        let noon = Some("2024-05-01T12:00:00+00:00");
        for (json, expected) in [
            (r#""2024-05-01T12:00:00Z""#, noon),
            (r#""2024-05-01T14:00:00.000+02:00""#, noon),
            (r#""2024-05-01T12:00:00""#, noon),
            (r#""2024-05-01 12:00:00.0""#, noon),
            (r#""2024-05-01""#, Some("2024-05-01T00:00:00+00:00")),
            ("1714564800", noon),
            ("1714564800000", noon),
            ("1714564800.5", Some("2024-05-01T12:00:00.500+00:00")),
            (r#""1714564800""#, noon),
            (r#""1714564800000""#, noon),
            ("-1", Some("1969-12-31T23:59:59+00:00")),
            (r#""""#, None),
            (r#""yesterday""#, None),
            (r#""NaN""#, None),
            ("1e300", None),
        ] {
            let time: Timestamp = serde_json::from_str(json)?;
            assert_eq!(
                time.to_utc().map(|utc| utc.to_rfc3339()).as_deref(),
                expected,
                "{json}"
            );
            if json != "1e300" {
                assert_eq!(serde_json::to_string(&time)?, json);
                assert_eq!(time.as_str(), json.trim_matches('"'));
            }
        }
        let time = DateTime::from_timestamp_millis(1_714_564_800_000).map(Timestamp::from);
        assert_eq!(time, Some(Timestamp::from("2024-05-01T12:00:00Z")));
        Ok(())
    }
}
