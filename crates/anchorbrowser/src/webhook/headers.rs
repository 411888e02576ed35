use std::collections::HashMap;

use http::HeaderMap;

pub(super) const EVENT: &str = "anchor-event";
pub(super) const DELIVERY_ID: &str = "anchor-delivery-id";
pub(super) const TIMESTAMP: &str = "anchor-timestamp";
pub(super) const SIGNATURE: &str = "anchor-signature";

/// The headers of a request: an [`HeaderMap`], or pairs of name and value.
///
/// Frameworks with other types give pairs: `let pairs: Vec<(&str, &[u8])> = ...`.
pub trait Headers {
    /// The first value of the header `name`, which is in lower case; other spellings of it fit too.
    fn value(&self, name: &str) -> Option<&[u8]>;
}

impl Headers for HeaderMap {
    fn value(&self, name: &str) -> Option<&[u8]> {
        self.get(name).map(|value| value.as_bytes())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn value(&self, name: &str) -> Option<&[u8]> {
        let mut pairs = self.iter();
        let found = pairs.find(|(found, _)| found.as_ref().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_ref())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn value(&self, name: &str) -> Option<&[u8]> {
        self.as_slice().value(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn value(&self, name: &str) -> Option<&[u8]> {
        self.as_slice().value(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, S> Headers for HashMap<N, V, S> {
    fn value(&self, name: &str) -> Option<&[u8]> {
        let mut pairs = self.iter();
        let found = pairs.find(|(found, _)| found.as_ref().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_ref())
    }
}

/// A value as text, without the white space around it.
pub(super) fn text<'h, H: Headers + ?Sized>(headers: &'h H, name: &str) -> Option<&'h str> {
    let value = headers.value(name)?;
    // A value that is no ASCII has no meaning in these headers: it reads as malformed.
    Some(std::str::from_utf8(value).unwrap_or_default().trim())
}
