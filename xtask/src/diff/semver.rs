//! The next version of the crates, by Cargo's rules.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use serde::Serialize;

use super::finding::{Diff, Verdict};
use super::rust::Rust;
use crate::surface::{Change, whole};

/// The step to the next version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Step {
    /// The workspace's version.
    pub(crate) current: String,
    /// The version that follows; the same if no public item changes.
    pub(crate) next: String,
    /// Why it is this one.
    pub(crate) reason: String,
    /// Whether the wire breaks although the source does not: programs that are not rebuilt fail as well.
    pub(crate) only_wire_breaks: bool,
}

impl Step {
    /// The step in words.
    pub(crate) fn text(&self) -> String {
        let Self {
            current,
            next,
            reason,
            ..
        } = self;
        let mut text = match current == next {
            true => format!("version: stays {current}, because {reason}"),
            false => format!("version: {current} -> {next}, because {reason}"),
        };
        if self.only_wire_breaks {
            text.push_str(
                "\nthe wire breaks although the source does not: programs that are not rebuilt fail as well",
            );
        }
        text
    }
}

/// The step from the workspace's version, with its reason.
///
/// # Errors
/// If the workspace's manifest has no version.
pub(crate) fn step(workspace: &Path, diff: &Diff, rust: &Rust) -> Result<Step> {
    let path = workspace.join("Cargo.toml");
    let manifest = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let Some(version) = version(&manifest) else {
        bail!("{}: no version under [workspace.package]", path.display());
    };
    let items: Vec<_> = whole(&rust.changes);
    let breaks = diff.findings.iter().any(|it| it.wire == Verdict::Breaking);
    let is_source = items.iter().any(|it| it.verdict == Verdict::Breaking);
    let [major, minor, patch] = version;
    let (next, reason) = reason(version, &items);
    Ok(Step {
        current: format!("{major}.{minor}.{patch}"),
        next,
        reason,
        only_wire_breaks: breaks && !is_source,
    })
}

/// The next version, and why it is that.
fn reason(version: [u64; 3], items: &[&Change]) -> (String, String) {
    let [major, minor, patch] = version;
    let count = |verdict| items.iter().filter(|it| it.verdict == verdict).count();
    let breaking = count(Verdict::Breaking);
    if items.is_empty() {
        let current = format!("{major}.{minor}.{patch}");
        return (current, "no public item changes".to_owned());
    }
    let after = next(version, breaking > 0, count(Verdict::Compatible) > 0);
    let why = match breaking {
        0 => "no change of a public item breaks code that uses it".to_owned(),
        1 => "one change of a public item breaks code that uses it".to_owned(),
        more => format!("{more} changes of public items break code that uses them"),
    };
    (after, why)
}

/// Before 1.0 the second number counts breaking changes, and the third one all others.
fn next([major, minor, patch]: [u64; 3], breaks: bool, adds: bool) -> String {
    match (major, minor, breaks) {
        (0, 0, _) | (0, _, false) => format!("{major}.{minor}.{}", patch + 1),
        (0, _, true) => format!("0.{}.0", minor + 1),
        (_, _, true) => format!("{}.0.0", major + 1),
        (_, _, false) if adds => format!("{major}.{}.0", minor + 1),
        _ => format!("{major}.{minor}.{}", patch + 1),
    }
}

/// The version under `[workspace.package]`, without what follows its three numbers.
fn version(manifest: &str) -> Option<[u64; 3]> {
    let (_, section) = manifest.split_once("[workspace.package]")?;
    let mut lines = section.lines().take_while(|line| !line.starts_with('['));
    let value =
        lines.find_map(|line| line.strip_prefix("version")?.trim_start().strip_prefix('='))?;
    let text = value.trim().trim_matches('"');
    let mut numbers = text.split(['-', '+']).next()?.split('.').map(str::parse);
    let mut number = || numbers.next()?.ok();
    Some([number()?, number()?, number()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_cargos_rules() {
        let cases = [
            ([0, 1, 3], true, true, "0.2.0"),
            ([0, 1, 3], false, true, "0.1.4"),
            ([0, 0, 3], true, false, "0.0.4"),
            ([1, 2, 3], true, false, "2.0.0"),
            ([1, 2, 3], false, true, "1.3.0"),
            ([1, 2, 3], false, false, "1.2.4"),
        ];
        for (version, breaks, adds, expected) in cases {
            assert_eq!(next(version, breaks, adds), expected);
        }
    }

    #[test]
    fn the_version_is_that_of_the_workspace() {
        let manifest =
            "[workspace.package]\nedition = \"2024\"\nversion = \"0.1.7-rc.1\"\n[other]\n";
        assert_eq!(version(manifest), Some([0, 1, 7]));
        assert_eq!(version("[package]\nversion = \"0.1.7\"\n"), None);
        assert_eq!(
            version("[workspace.package]\n[other]\nversion = \"0.1.7\"\n"),
            None
        );
    }
}
