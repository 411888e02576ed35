//! The approvals file: changes that somebody has looked at and takes, for a time.

use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

use super::date::Date;
use super::finding::{Diff, Finding};
use super::rules::RULES;
use crate::document::{Document, Place, kind};

/// The approvals, relative to the workspace.
const APPROVALS: &str = "openapi.approvals.yaml";

/// The keys of an entry. All of them must be there.
const KEYS: [&str; 4] = ["rule", "place", "reason", "expires"];

/// Where a file begins.
const TOP: Place = Place { line: 1, column: 1 };

/// One entry of the file.
#[derive(Debug)]
pub(crate) struct Approval {
    /// Name of the rule.
    pub(super) rule: &'static str,
    /// JSON pointer of what changed.
    pub(super) place: String,
    /// Why the change is taken, on one line.
    pub(crate) reason: String,
    /// The last day on which it holds.
    pub(crate) expires: Date,
    /// The file that has the entry.
    pub(super) file: String,
    /// Where the entry stands in it.
    pub(super) at: Place,
}

/// An approval that does not hold any more.
#[derive(Clone, Debug)]
pub(crate) struct Lapsed {
    /// The entry.
    pub(super) approval: Rc<Approval>,
    /// Why.
    pub(super) why: Why,
}

/// Why an approval does not hold any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Why {
    /// Its last day is over, and the change is still there.
    Expired,
    /// There is no such change.
    Stale,
}

impl Lapsed {
    /// A sentence without its end.
    pub(super) fn text(&self) -> String {
        let Approval {
            rule,
            place,
            expires,
            file,
            at: Place { line, column },
            ..
        } = &*self.approval;
        let what = match self.why {
            Why::Stale => format!("stale: no {rule} at {place}; remove it"),
            Why::Expired => format!("expired on {expires}: {rule} at {place} counts again"),
        };
        format!("{file}:{line}:{column}: {what}")
    }
}

/// Reads the file at `path`, or else that of the workspace, if it has one. Without a file there are none.
///
/// # Errors
/// If the file cannot be read, or is not as it must be.
pub(crate) fn load(workspace: &Path, path: Option<&Path>) -> Result<Vec<Rc<Approval>>> {
    let own = workspace.join(APPROVALS);
    let path = match path {
        Some(path) => path,
        None if own.exists() => &own,
        None => return Ok(Vec::new()),
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
    entries.collect()
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
        file: document.name.clone(),
        at: document.place(pointer).unwrap_or(TOP),
    }))
}

/// Approves findings, and says which entries do not hold any more.
pub(crate) fn apply(approvals: &[Rc<Approval>], today: Date, diff: &mut Diff) {
    for approval in approvals {
        let expired = approval.expires < today;
        let mut found = false;
        for finding in diff.findings.iter_mut().filter(|it| approval.is_of(it)) {
            found = true;
            if !expired {
                finding.approval.get_or_insert_with(|| Rc::clone(approval));
            }
        }
        let why = match (found, expired) {
            (false, _) => Why::Stale,
            (true, true) => Why::Expired,
            (true, false) => continue,
        };
        let approval = Rc::clone(approval);
        diff.lapsed.push(Lapsed { approval, why });
    }
}

impl Approval {
    /// Whether it is about this change. What only one document has, the other one has no place for but that of something
    /// larger: this would approve more than was meant.
    fn is_of(&self, finding: &Finding) -> bool {
        let (in_old, in_new) = finding.is_in();
        let is_old = in_old && *finding.old.pointer == *self.place;
        let is_new = in_new && *finding.new.pointer == *self.place;
        finding.rule.name == self.rule && (is_old || is_new)
    }
}
