//! Tests of the surface.

mod pairs;
mod sdk;
mod vendored;

use serde_json::Value;

use super::{Cause, Edition, Verified, whole};
use crate::generate::{self, Source};
use crate::lower;

/// A cause as a test writes it: rule, old and new place.
#[derive(Clone, Debug)]
struct Told(String, String, String);

impl Cause for Told {
    fn rule(&self) -> &str {
        &self.0
    }

    fn old_place(&self) -> &str {
        &self.1
    }

    fn new_place(&self) -> &str {
        &self.2
    }
}

/// What is generated from a document.
fn edition(document: Value) -> Edition {
    let lowered = lower::lower(document);
    let source = Source {
        document: "",
        overlay: "",
    };
    let output = generate::generate(&lowered, &source).unwrap();
    Edition::of(&lowered, &output).unwrap()
}

/// The changes as short lines, without the parts of what came or went as a whole: `breaking - types::A::x`.
fn lines(verified: &Verified) -> Vec<String> {
    let changes = whole(&verified.changes).into_iter();
    changes
        .map(|change| {
            let verdict = format!("{:?}", change.verdict).to_lowercase();
            let (sign, path) = match change.what {
                super::What::Added => ("+", change.path().to_owned()),
                super::What::Removed => ("-", change.path().to_owned()),
                super::What::Changed => ("~", change.path().to_owned()),
                super::What::Docs => ("\"", change.path().to_owned()),
                super::What::Renamed => {
                    let (old, new) = (change.old.as_deref(), change.new.as_deref());
                    (
                        ">",
                        format!("{} = {}", old.unwrap_or_default(), new.unwrap_or_default()),
                    )
                }
            };
            format!("{verdict} {sign} {path}")
        })
        .collect()
}

/// Asserts that all changes are explained and all predictions came true.
fn assert_sound(verified: &Verified, name: &str) {
    let unexplained: Vec<_> = verified
        .unexplained
        .iter()
        .map(|index| &verified.changes[*index])
        .collect();
    assert!(
        unexplained.is_empty(),
        "{name}: nothing explains {unexplained:#?}"
    );
    assert!(
        verified.unfulfilled.is_empty(),
        "{name}: did not come true: {:#?}",
        verified.unfulfilled
    );
}
