//! Source code, which the API carries in Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) fn encode(source: &str) -> String {
    STANDARD.encode(source)
}

/// The source text; what is not that in Base64 stays as it is.
pub(super) fn decode(code: String) -> String {
    let bytes = STANDARD.decode(&code).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_goes_round_and_what_is_none_is_kept() {
        for source in ["", "a", "const é = `日本`;\n\"\\u0000\"", "ab+/=="] {
            assert_eq!(decode(encode(source)), source);
        }
        assert_eq!(encode("ü?>"), "w7w/Pg==");
        for odd in ["not base64!", "/w==", "YQ"] {
            assert_eq!(decode(odd.to_owned()), odd);
        }
    }
}
