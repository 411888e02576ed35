//! The approvals file: changes that somebody has looked at and takes, for a time.

use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::date::Date;
use super::finding::{Diff, Finding};
use super::rules::RULES;
use crate::document::{Document, kind};

/// The approvals, relative to the workspace.
const APPROVALS: &str = "openapi.approvals.yaml";

/// The keys of an entry. All of them must be there.
const KEYS: [&str; 4] = ["rule", "place", "reason", "expires"];

/// One entry of the file.
#[derive(Debug)]
pub(crate) struct Approval {
    /// Name of the rule.
    rule: &'static str,
    /// JSON pointer of what changed.
    place: String,
    /// Why the change is taken, on one line.
    pub(crate) reason: String,
    /// The last day on which it holds.
    pub(crate) expires: Date,
    /// Where the entry stands: `openapi.approvals.yaml:LINE:COLUMN`.
    at: String,
}

/// Reads the file at `path`, or else that of the workspace, if it has one. `None`: there is none.
///
/// # Errors
/// If the file cannot be read, or is not as it must be.
pub(super) fn load(workspace: &Path, path: Option<&Path>) -> Result<Option<Vec<Rc<Approval>>>> {
    let own = workspace.join(APPROVALS);
    let path = match path {
        Some(path) => path,
        None if own.exists() => &own,
        None => return Ok(None),
    };
    let document = Document::load(path).context("the approvals cannot be read")?;
    let root = document.mapping(&document.root, "")?;
    document.check_keys(root, "", &["approvals"])?;
    let entries = match root.get("approvals") {
        Some(Value::Array(entries)) => entries,
        Some(other) => bail!(
            "{}: `approvals` is {}, not a list; write each approval as a list item",
            document.at("/approvals"),
            kind(other)
        ),
        None => bail!(
            "{}: no `approvals`; add the list of approvals",
            document.at("")
        ),
    };
    let entries = entries.iter().enumerate();
    let entries =
        entries.map(|(index, value)| entry(&document, value, &format!("/approvals/{index}")));
    entries.collect::<Result<_>>().map(Some)
}

fn entry(document: &Document, value: &Value, pointer: &str) -> Result<Rc<Approval>> {
    let map = document.mapping(value, pointer)?;
    document.check_keys(map, pointer, &KEYS)?;
    let here = |key: &str| document.at(&format!("{pointer}/{key}"));
    let text = |key: &str| match map.get(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.as_str()),
        Some(Value::String(_)) => bail!("{}: `{key}` is empty; write it", here(key)),
        Some(other) => bail!(
            "{}: `{key}` is {}, not a text; put it in quotes",
            here(key),
            kind(other)
        ),
        None => bail!(
            "{}: no `{key}`; an approval has {}",
            document.at(pointer),
            KEYS.join(", ")
        ),
    };
    let (rule, place, expires) = (text("rule")?, text("place")?, text("expires")?);
    let Some(rule) = RULES.iter().find(|it| it.name == rule) else {
        bail!(
            "{}: no rule `{rule}`; `cargo xtask diff --rules` lists them",
            here("rule")
        );
    };
    if !place.starts_with('/') {
        bail!(
            "{}: `{place}` is no JSON pointer; write the place as `/components/schemas/Name`",
            here("place")
        );
    }
    let Some(expires) = Date::parse(expires) else {
        bail!(
            "{}: `{expires}` is no day; write it as YYYY-MM-DD",
            here("expires")
        );
    };
    let reason = text("reason")?
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Ok(Rc::new(Approval {
        rule: rule.name,
        place: place.to_owned(),
        reason,
        expires,
        at: document.location(pointer),
    }))
}

/// Approves findings, and says which entries do not hold any more.
pub(super) fn apply(approvals: &[Rc<Approval>], today: Date, diff: &mut Diff) {
    for approval in approvals {
        let expired = approval.expires < today;
        let mut found = false;
        for finding in diff.findings.iter_mut().filter(|it| approval.is_of(it)) {
            found = true;
            if !expired {
                finding.approval.get_or_insert_with(|| Rc::clone(approval));
            }
        }
        let Approval {
            rule,
            place,
            expires,
            at,
            ..
        } = &**approval;
        diff.lapsed.extend(match (found, expired) {
            (false, _) => Some(format!("{at}: stale: no {rule} at {place}; remove it")),
            (true, true) => Some(format!(
                "{at}: expired on {expires}: {rule} at {place} counts again"
            )),
            (true, false) => None,
        });
    }
}

impl Approval {
    /// Whether it is about this change. What only one document has, the other one has no place for but that of something
    /// larger: this would approve more than was meant.
    fn is_of(&self, finding: &Finding) -> bool {
        let depth = |pointer: &str| pointer.matches('/').count();
        let (old, new) = (&*finding.old.pointer, &*finding.new.pointer);
        let is_at = |own: &str, other: &str| own == self.place && depth(own) >= depth(other);
        finding.rule.name == self.rule && (is_at(old, new) || is_at(new, old))
    }
}
