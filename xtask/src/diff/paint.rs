//! Colours, if a terminal reads along.

use std::ffi::OsString;
use std::io::IsTerminal as _;

use super::finding::Verdict;

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    /// No colours.
    pub(crate) const PLAIN: Self = Self(false);

    /// Colours wherever there are any.
    #[cfg(test)]
    pub(super) const COLOURED: Self = Self(true);

    /// Colours on a terminal, or as the environment says.
    pub(crate) fn of_stdout() -> Self {
        Self(wanted(
            |name| std::env::var_os(name),
            std::io::stdout().is_terminal(),
        ))
    }

    /// A heading or a word that says how bad something is.
    pub(super) fn verdict(self, verdict: Verdict, text: &str) -> String {
        self.with(
            match verdict {
                Verdict::Breaking => "1;31",
                Verdict::Risky => "1;33",
                Verdict::Compatible => "1;32",
                Verdict::Docs => "1;36",
                Verdict::None => "1",
            },
            text,
        )
    }

    /// Code that is old, red.
    pub(super) fn removed(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Code that is new, green.
    pub(super) fn added(self, text: &str) -> String {
        self.with("32", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// `NO_COLOR` is stronger than `CLICOLOR_FORCE`, and both are stronger than what is known of the terminal.
fn wanted(variable: impl Fn(&str) -> Option<OsString>, is_terminal: bool) -> bool {
    let has = |name: &str| variable(name).filter(|value| !value.is_empty());
    if has("NO_COLOR").is_some() {
        return false;
    }
    match has("CLICOLOR_FORCE") {
        Some(value) if value != "0" => true,
        _ => is_terminal && has("TERM").is_none_or(|terminal| terminal != "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_the_environment_says_otherwise() {
        let cases = [
            ("", true, true),
            ("", false, false),
            ("NO_COLOR=1", true, false),
            ("NO_COLOR=", true, true),
            ("CLICOLOR_FORCE=1", false, true),
            ("CLICOLOR_FORCE=0", false, false),
            ("CLICOLOR_FORCE=0", true, true),
            ("NO_COLOR=1 CLICOLOR_FORCE=1", true, false),
            ("TERM=dumb", true, false),
            ("TERM=dumb CLICOLOR_FORCE=1", true, true),
        ];
        for (variables, is_terminal, expected) in cases {
            let value = |name: &str| {
                let mut pairs = variables.split(' ').filter_map(|it| it.split_once('='));
                let (_, value) = pairs.find(|(known, _)| *known == name)?;
                Some(OsString::from(value))
            };
            assert_eq!(wanted(value, is_terminal), expected, "{variables:?}");
        }
    }
}
