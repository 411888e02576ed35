//! Small macros that all resources use.

/// Hands optional values to a raw builder: `set!(call, page: self.page, limit: self.limit)`.
macro_rules! set {
    ($call:ident, $($name:ident: $value:expr),* $(,)?) => {$(
        if let Some(value) = $value {
            $call = $call.$name(value);
        }
    )*};
}

pub(crate) use set;
