//! Log lines on standard error, for programs that have no subscriber of their own.
//!
//! The SDK tells what it does by [`tracing`], under the target `anchorbrowser`: each call, its
//! attempts and their outcome; never a secret, a header or a body. A program that has a subscriber
//! sees that without this module.

use std::ffi::OsString;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::{Error, ErrorKind, Result};

const VARIABLE: &str = "ANCHORBROWSER_LOG";

/// What the SDK, and the raw layer below it, log under.
const TARGET: &str = "anchorbrowser";

/// Prints the SDK's log lines to standard error, from the level on that the environment variable
/// `ANCHORBROWSER_LOG` names: `error`, `warn`, `info`, `debug` or `trace`. If it is absent, empty or
/// `off`, nothing is done and `false` given.
///
/// It sets the subscriber of the whole program, so call it once, at the start of `main`. Libraries
/// should not.
///
/// ```no_run
/// fn main() -> anchorbrowser::Result<()> {
///     anchorbrowser::logging::init_from_env()?; // ANCHORBROWSER_LOG=debug cargo run
///     // ...
///     Ok(())
/// }
/// ```
///
/// # Errors
/// [`ErrorKind::Config`] if the variable names no level, or the program has a subscriber already.
pub fn init_from_env() -> Result<bool> {
    let level = level(std::env::var_os(VARIABLE))?;
    if level == LevelFilter::OFF {
        return Ok(false);
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry()
        .with(Targets::new().with_target(TARGET, level))
        .with(lines);
    subscriber.try_init().map_err(|source| {
        let message = "the program has a tracing subscriber already, which sees what the SDK logs; \
                       leave out `logging::init_from_env`";
        Error::new(ErrorKind::Config, message).with_source(source)
    })?;
    Ok(true)
}

fn level(value: Option<OsString>) -> Result<LevelFilter> {
    let value = value.unwrap_or_default();
    let name = value.to_str().map(|text| text.trim().to_lowercase());
    match name.as_deref() {
        Some("" | "off") => Ok(LevelFilter::OFF),
        Some("error") => Ok(LevelFilter::ERROR),
        Some("warn") => Ok(LevelFilter::WARN),
        Some("info") => Ok(LevelFilter::INFO),
        Some("debug") => Ok(LevelFilter::DEBUG),
        Some("trace") => Ok(LevelFilter::TRACE),
        // The value is not repeated: it may be a key that went to the wrong variable.
        _ => {
            let message = format!(
                "the environment variable {VARIABLE} must be `off`, `error`, `warn`, `info`, \
                 `debug` or `trace`"
            );
            Err(Error::new(ErrorKind::Config, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_read_and_nothing_else() -> Result<()> {
        assert_eq!(level(None)?, LevelFilter::OFF);
        for (text, expected) in [
            ("", LevelFilter::OFF),
            ("off", LevelFilter::OFF),
            ("error", LevelFilter::ERROR),
            ("warn", LevelFilter::WARN),
            (" Info\n", LevelFilter::INFO),
            ("DEBUG", LevelFilter::DEBUG),
            ("trace", LevelFilter::TRACE),
        ] {
            assert_eq!(level(Some(text.into()))?, expected, "{text:?}");
        }
        for text in ["canary", "1", "anchorbrowser=debug", "debug,canary"] {
            let error = level(Some(text.into())).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Config);
            let shown = format!("{error} {error:?}");
            assert!(
                shown.contains("`debug`") && !shown.contains("canary"),
                "{shown}"
            );
        }
        Ok(())
    }
}
