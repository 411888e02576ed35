//! What the comparison found.

use std::rc::Rc;

use serde::Serialize;

use super::approvals::{Approval, Lapsed};
use super::edition::Pointer;
use super::pairs::PairId;
use super::rules::{Id, Rule};
use crate::document::Place;

/// What a change does. The order is that of reports, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Programs that are in order stop working.
    Breaking,
    /// Some programs may stop working.
    Risky,
    /// No program notices, unless it uses what is new.
    Compatible,
    /// Only readers notice.
    Docs,
    /// Nobody notices.
    None,
}

impl Verdict {
    /// All of them, the worst first.
    pub(crate) const ALL: [Self; 5] = [
        Self::Breaking,
        Self::Risky,
        Self::Compatible,
        Self::Docs,
        Self::None,
    ];

    /// The verdict's name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Risky => "risky",
            Self::Compatible => "compatible",
            Self::Docs => "docs",
            Self::None => "none",
        }
    }
}

/// Which ways a value goes, seen from a program that uses the API: it sends requests and receives responses, and with
/// webhooks and callbacks the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Directions {
    /// Programs send it.
    pub(crate) request: bool,
    /// Programs receive it.
    pub(crate) response: bool,
}

impl Directions {
    pub(crate) const NEITHER: Self = Self {
        request: false,
        response: false,
    };
    pub(crate) const REQUEST: Self = Self {
        request: true,
        response: false,
    };
    pub(crate) const RESPONSE: Self = Self {
        request: false,
        response: true,
    };
    pub(crate) const BOTH: Self = Self {
        request: true,
        response: true,
    };

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            request: self.request || other.request,
            response: self.response || other.response,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            request: self.request && other.request,
            response: self.response && other.response,
        }
    }

    /// Each way that is among them, alone.
    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        [Self::REQUEST, Self::RESPONSE]
            .into_iter()
            .filter(move |one| self.and(*one) == *one)
    }

    /// In reports; empty for neither.
    pub(crate) fn name(self) -> &'static str {
        match (self.request, self.response) {
            (true, true) => "request and response",
            (true, false) => "request",
            (false, true) => "response",
            (false, false) => "",
        }
    }
}

/// A change of one node, before it is known which operations it reaches.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) rule: Id,
    pub(super) old: Pointer,
    pub(super) new: Pointer,
    pub(super) text: String,
    /// The ways that it can matter, whichever way its schema goes.
    pub(super) mask: Directions,
    /// The pair whose changes judge this one.
    pub(super) inner: Option<PairId>,
    /// The verdicts for a request and a response, if they do not follow from the rule.
    pub(super) judged: Option<(Verdict, Verdict)>,
}

impl Note {
    pub(super) fn new(
        rule: Id,
        old: &Pointer,
        new: &Pointer,
        text: String,
        mask: Directions,
    ) -> Self {
        Self {
            rule,
            old: Rc::clone(old),
            new: Rc::clone(new),
            text,
            mask,
            inner: None,
            judged: None,
        }
    }
}

/// Where a change is in one of the documents. What one of them lacks has the place where it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// JSON pointer.
    pub(crate) pointer: Pointer,
    /// Line and column of it, or of its nearest ancestor.
    pub(crate) place: Place,
}

/// One change and all that it reaches.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// The kind of change.
    pub(crate) rule: &'static Rule,
    /// Where it is in the old document.
    pub(crate) old: Site,
    /// Where it is in the new document.
    pub(crate) new: Site,
    /// What changed, as a sentence without its end.
    pub(crate) text: String,
    /// Which ways it matters; neither for what no operation uses.
    pub(crate) directions: Directions,
    /// The operations that it reaches: indices into [`Diff::operations`].
    pub(crate) operations: Vec<usize>,
    /// What it does to a deployed program that meets the new server.
    pub(crate) wire: Verdict,
    /// What it does to somebody who upgrades the crate: the worst verdict of the items that follow from it. None as long
    /// as nobody looked at the items, but for what has no trace in Rust code but its docs.
    pub(crate) source: Option<Verdict>,
    /// Why it is taken as it is, if somebody said so.
    pub(crate) approval: Option<Rc<Approval>>,
}

impl Finding {
    /// The component schema that the change is in, by its names in the old and the new document.
    pub(crate) fn schema(&self) -> (Option<&str>, Option<&str>) {
        (schema_of(&self.old.pointer), schema_of(&self.new.pointer))
    }

    /// Whether the old and the new document have what changed. The place in one that lacks it is that of something larger.
    pub(crate) fn is_in(&self) -> (bool, bool) {
        let depth = |pointer: &str| pointer.matches('/').count();
        let name = |pointer: &str| pointer.rsplit('/').next().map(str::to_owned);
        let (old, new) = (&*self.old.pointer, &*self.new.pointer);
        // What was written out and is in a schema of its own has the same name in a shorter pointer.
        let has = |own: &str, other: &str| {
            let is_around = other
                .strip_prefix(own)
                .is_some_and(|it| it.starts_with('/'));
            depth(own) >= depth(other) || (name(own) == name(other) && !is_around)
        };
        (has(old, new), has(new, old))
    }

    /// Both places as pointers, for people.
    pub(super) fn pointers(&self, shown: impl Fn(&str) -> String) -> String {
        let word = |has: bool| if has { "at" } else { "in" };
        let (old, new) = (&*self.old.pointer, &*self.new.pointer);
        let (in_old, in_new) = self.is_in();
        match old == new {
            true => format!("at {}", shown(new)),
            false => format!(
                "{} {}, before {} {}",
                word(in_new),
                shown(new),
                word(in_old),
                shown(old)
            ),
        }
    }

    /// The worse of the two verdicts.
    pub(crate) fn worst(&self) -> Verdict {
        self.source
            .map_or(self.wire, |source| source.min(self.wire))
    }
}

/// The name of the component schema that `pointer` leads into, as it stands in the pointer.
fn schema_of(pointer: &str) -> Option<&str> {
    pointer
        .strip_prefix("/components/schemas/")?
        .split('/')
        .next()
}

/// An operation of the old document and what it is in the new one.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// In reports: `POST /v1/sessions`, the new one if there is one.
    pub(crate) name: String,
    /// Pointer to it in the old document.
    pub(crate) old: Option<Pointer>,
    /// Pointer to it in the new document.
    pub(crate) new: Option<Pointer>,
}

/// What identifies a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// SHA-256 of its text, in hex.
    pub(crate) sha256: String,
    /// The version of the API that it names.
    pub(crate) version: String,
}

/// The result of a comparison.
#[derive(Debug)]
pub(crate) struct Diff {
    /// Name of the old document.
    pub(crate) old: String,
    /// Name of the new document.
    pub(crate) new: String,
    /// What identifies the old and the new document.
    pub(crate) about: (About, About),
    /// The operations of both, webhooks and callbacks among them.
    pub(crate) operations: Vec<Operation>,
    /// Component schemas that correspond: old and new names.
    pub(crate) schemas: Vec<(String, String)>,
    /// The changes, sorted by wire verdict and place.
    pub(crate) findings: Vec<Finding>,
    /// Approvals that do not hold any more.
    pub(crate) lapsed: Vec<Lapsed>,
}
