//! The scheme: HMAC-SHA256 over `v0:<timestamp>:<body>`, in hex. The text of the secret is the key;
//! hexadecimal digits in it are not decoded.

use std::time::{Duration, SystemTime};

use anchorbrowser_api::wire::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::error::{SecretError, VerifyError};
use super::headers::{self, Headers};

/// The bytes of a signature.
const LENGTH: usize = 32;

/// Secrets, ready to sign. Their text is not kept.
#[derive(Clone)]
pub(super) struct Keys(Vec<Hmac<Sha256>>);

impl Keys {
    pub(super) fn new<S: Into<Secret>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, SecretError> {
        let keys: Vec<_> = secrets.into_iter().map(key).collect::<Result<_, _>>()?;
        match keys.is_empty() {
            true => Err(SecretError::new(
                "no webhook secret was given; without one nothing can be verified",
            )),
            false => Ok(Self(keys)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether one of the signatures is that of the body under one of the keys. The time it takes
    /// does not depend on which.
    pub(super) fn verify(&self, signed: &Signed<'_>, body: &[u8]) -> bool {
        let mut fits = false;
        for mac in self.macs(signed.timestamp, body) {
            for signature in &signed.signatures {
                fits |= mac.clone().verify_slice(signature).is_ok();
            }
        }
        fits
    }

    /// The value of `Anchor-Signature`, with one `v1` a key.
    pub(super) fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let mut value = format!("t={timestamp}");
        for mac in self.macs(timestamp, body) {
            value.push_str(",v1=");
            for byte in mac.finalize().into_bytes() {
                value.push_str(&format!("{byte:02x}"));
            }
        }
        value
    }

    fn macs(&self, timestamp: &str, body: &[u8]) -> impl Iterator<Item = Hmac<Sha256>> {
        let start = format!("v0:{timestamp}:");
        let keys = self.0.iter().cloned();
        keys.map(move |key| key.chain_update(&start).chain_update(body))
    }
}

fn key(secret: impl Into<Secret>) -> Result<Hmac<Sha256>, SecretError> {
    let secret = secret.into();
    let text = secret.expose();
    if text.trim().is_empty() {
        return Err(SecretError::new(
            "the webhook secret is empty; it stands in the answer that created the webhook or rotated its secret",
        ));
    }
    if text.trim() != text {
        return Err(SecretError::new(
            "the webhook secret has white space around it, perhaps the end of a line in a file; remove it",
        ));
    }
    Hmac::new_from_slice(text.as_bytes())
        .map_err(|_| SecretError::new("the webhook secret cannot be a key"))
}

/// What a delivery says of its signature.
pub(super) struct Signed<'h> {
    /// As it was signed.
    timestamp: &'h str,
    time: SystemTime,
    /// All `v1` values.
    signatures: Vec<[u8; LENGTH]>,
}

impl<'h> Signed<'h> {
    pub(super) fn read<H: Headers + ?Sized>(headers: &'h H) -> Result<Self, VerifyError> {
        let value = |name| headers::text(headers, name).ok_or(VerifyError::missing(name));
        let timestamp = value(headers::TIMESTAMP)?;
        let (t, signatures) = signatures(value(headers::SIGNATURE)?)?;
        let time = time(timestamp).ok_or_else(VerifyError::timestamp)?;
        match t == timestamp {
            true => Ok(Self {
                timestamp,
                time,
                signatures,
            }),
            false => Err(VerifyError::timestamps_differ()),
        }
    }

    pub(super) fn check_age(
        &self,
        now: SystemTime,
        tolerance: Duration,
    ) -> Result<(), VerifyError> {
        match now.duration_since(self.time) {
            Ok(age) if age > tolerance => Err(VerifyError::too_old(age, tolerance)),
            Err(ahead) if ahead.duration() > tolerance => {
                Err(VerifyError::too_new(ahead.duration(), tolerance))
            }
            _ => Ok(()),
        }
    }
}

/// The time of a timestamp: digits only, though numbers could have a sign too.
fn time(timestamp: &str) -> Option<SystemTime> {
    let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = timestamp.parse().ok().filter(|_| digits)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// `t` and all `v1` of an `Anchor-Signature`. Other names are for schemes to come.
fn signatures(value: &str) -> Result<(&str, Vec<[u8; LENGTH]>), VerifyError> {
    let (mut timestamp, mut found) = (None, Vec::new());
    for part in value.split(',') {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| VerifyError::signature("a part of it has no `=`"))?;
        match (name.trim(), value.trim()) {
            ("t", _) if timestamp.is_some() => {
                return Err(VerifyError::signature("it has more than one `t`"));
            }
            ("t", value) => timestamp = Some(value),
            ("v1", value) => found.push(unhex(value).ok_or_else(|| {
                VerifyError::signature("a `v1` in it is not 64 hexadecimal digits")
            })?),
            _ => {}
        }
    }
    match timestamp {
        None => Err(VerifyError::signature("it has no `t`")),
        Some(_) if found.is_empty() => Err(VerifyError::signature("it has no `v1`")),
        Some(timestamp) => Ok((timestamp, found)),
    }
}

fn unhex(text: &str) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let digits = text.as_bytes();
    if digits.len() != 2 * LENGTH {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(bytes)
}
