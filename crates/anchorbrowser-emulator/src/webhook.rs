//! Webhooks: which URLs are taken, how a delivery is signed and sent, and what its outcome means.
//!
//! Nothing here knows the webhooks themselves or the time; the caller keeps both.

mod rules;
mod transport;

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::world::hex;

pub(crate) use rules::{check_url, local_target};
pub(crate) use transport::{Delivery, send};

/// The time a consumer has to answer.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How often one event is sent to one webhook before it counts as dead.
pub(crate) const MAX_ATTEMPTS: u32 = 6;

/// The value of `Anchor-Signature`: `t=<timestamp>,v1=<hex>`, HMAC-SHA256 over `v0:<timestamp>:<body>`. The text of
/// the secret is the key: hexadecimal digits in it are not decoded. HMAC takes keys of any length, so there always is a
/// signature.
pub(crate) fn signature(secret: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    let code = hex(&mac.finalize().into_bytes());
    Some(format!("t={timestamp},v1={code}"))
}

/// What follows from the outcome of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The consumer took the event.
    Succeeded,
    /// Try again after [`retry_delay`], unless this was attempt [`MAX_ATTEMPTS`].
    Retry,
    /// Another attempt would not help.
    Failed,
}

/// Judges the result of [`send`]: 2xx is success; 408, 425, 429, 5xx and no answer are worth another attempt; every
/// other status, redirects included, is final.
pub(crate) fn verdict(result: &Result<u16, String>) -> Verdict {
    match result {
        Ok(200..=299) => Verdict::Succeeded,
        Ok(408 | 425 | 429 | 500..=599) | Err(_) => Verdict::Retry,
        Ok(_) => Verdict::Failed,
    }
}

/// How long to wait after the given attempt, counted from 1: 1 s, 5 s, 30 s, 2 min, then 10 min. The vendor documents
/// the number of attempts but no delays; these are the emulator's own.
pub(crate) fn retry_delay(attempt: u32) -> Duration {
    Duration::from_secs(match attempt {
        0 | 1 => 1,
        2 => 5,
        3 => 30,
        4 => 120,
        _ => 600,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_agree_with_another_implementation() {
        // Computed with Python's `hmac`; the first one with `openssl dgst -sha256 -hmac` too.
        let long = "k".repeat(100);
        let digits = "0123456789abcdef".repeat(4);
        let cases: [(&str, i64, &[u8], &str); 5] = [
            (
                "whsec_test",
                1_700_000_000,
                br#"{"id":"evt_1"}"#,
                "t=1700000000,v1=6d57736486f6a9071c4daabd524d33bc9cc975262d94ef868d395502118e2757",
            ),
            (
                &digits,
                1,
                b"",
                "t=1,v1=b91620a532c1625357079bc2b9cd0dbf8b1f6b8ce306c6c827bcc0c0c9537739",
            ),
            (
                &long,
                -5,
                &[0, 255, 10],
                "t=-5,v1=8e2447795053c102672023ccc5bde5a6aeada67f1dd58dcab7e0fa205147bde3",
            ),
            (
                "",
                0,
                b"x",
                "t=0,v1=b7f1b66ad1c2a1f41e940b16bd71267c81a2e4a7e7b9775b9a8bf02867b5cc03",
            ),
            (
                "schlüssel",
                1,
                b"x",
                "t=1,v1=b387bc43616f4c7a25615ed93392d4c9184d29e6a12c92d4d8ce35f0f8cdc5b4",
            ),
        ];
        for (secret, timestamp, body, expected) in cases {
            assert_eq!(
                signature(secret, timestamp, body).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn verdicts() {
        let cases: [(Verdict, &[u16]); 3] = [
            (Verdict::Succeeded, &[200, 201, 202, 204, 299]),
            (Verdict::Retry, &[408, 425, 429, 500, 502, 503, 504, 599]),
            (
                Verdict::Failed,
                &[
                    101, 301, 302, 307, 308, 400, 401, 404, 410, 422, 499, 600, 999,
                ],
            ),
        ];
        for (expected, statuses) in cases {
            for &status in statuses {
                assert_eq!(verdict(&Ok(status)), expected, "{status}");
            }
        }
        assert_eq!(verdict(&Err("refused".to_owned())), Verdict::Retry);
    }

    #[test]
    fn delays_grow() {
        let delays: Vec<u64> = (1..MAX_ATTEMPTS)
            .map(|n| retry_delay(n).as_secs())
            .collect();
        assert_eq!(delays, [1, 5, 30, 120, 600]);
        assert_eq!(retry_delay(0).as_secs(), 1);
        assert_eq!(retry_delay(u32::MAX).as_secs(), 600);
    }
}
