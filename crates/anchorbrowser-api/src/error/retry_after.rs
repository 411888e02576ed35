//! The wait that a server asks for.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// `retry-after-ms`, else `Retry-After` as seconds, also with a fraction, or as a date. A date that
/// has passed is no wait.
pub(super) fn read(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |text: &str| text.parse::<f64>().ok();
    let milliseconds = text("retry-after-ms").and_then(number);
    let milliseconds = milliseconds.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
    milliseconds.or_else(|| {
        let text = text(RETRY_AFTER.as_str())?;
        match number(text) {
            Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            None => {
                let date = httpdate::parse_http_date(text).ok()?;
                Some(date.duration_since(now).unwrap_or_default())
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn each_form_is_read() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (ms, after, expected) in [
            (None, None, None),
            (None, Some("58"), Some(58_000)),
            (None, Some(" 1.5 "), Some(1_500)),
            (None, Some("0"), Some(0)),
            (Some("250"), Some("58"), Some(250)),
            (Some("2.5e3"), None, Some(2_500)),
            (Some("soon"), Some("58"), Some(58_000)),
            (Some("-1"), None, None),
            (None, Some("-1"), None),
            (None, Some("NaN"), None),
            (None, Some("inf"), None),
            (None, Some("1e300"), None),
            (None, Some("soon"), None),
            (None, Some("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10_000)),
            (None, Some("Sunday, 06-Nov-94 08:49:47 GMT"), Some(10_000)),
            (None, Some("Sun Nov  6 08:49:47 1994"), Some(10_000)),
            (None, Some("Sun, 06 Nov 1994 08:49:07 GMT"), Some(0)),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("retry-after-ms", ms), ("retry-after", after)] {
                headers.extend(value.map(|value| {
                    let name = reqwest::header::HeaderName::from_static(name);
                    (name, HeaderValue::from_static(value))
                }));
            }
            let read = read(&headers, now).map(|wait| wait.as_millis());
            assert_eq!(read, expected, "{ms:?} {after:?}");
        }
    }
}
