//! What generated code calls.

mod query;
mod response;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(crate) use query::{QueryParam, RequestBuilderExt};
pub(crate) use response::{Broken, CallInfo, read_body, receive};
pub use response::{ByteStream, ResponseValue};

#[allow(unused_imports)] // generated code takes it from here, if it names it
pub(crate) use crate::Error;

/// Everything but RFC 3986's unreserved characters. A list of what to encode is easily too short:
/// URL parsers take even a backslash for a slash.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes a value of a path parameter.
pub(crate) fn encode_path(value: &str) -> String {
    encode(value)
}

/// Percent-encodes a value of any place in a URL.
pub(crate) fn encode(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

/// Names the operation to the hooks of the transport.
pub(crate) struct OperationInfo {
    /// The key of the operations' table.
    pub(crate) operation_id: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        for (value, encoded) in [
            ("azAZ09-._~", "azAZ09-._~"),
            ("a/b\\c", "a%2Fb%5Cc"),
            ("%2e%2e", "%252e%252e"),
            ("a:b@c?d#e f+g", "a%3Ab%40c%3Fd%23e%20f%2Bg"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(encode_path(value), encoded);
        }
    }
}
