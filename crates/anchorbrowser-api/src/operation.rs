//! What the generated table says of each operation.

/// Whether an operation may be sent again when its outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// It changes nothing.
    Read,
    /// It changes something, and sending it twice does the same as sending it once.
    Repeatable,
    /// It must not be repeated: a second request creates, runs or sends a second time.
    Once,
}

/// One operation of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The name, which is also that of the method of [`Client`](crate::Client), e.g.
    /// `create_session`.
    pub id: &'static str,
    /// The resource it belongs to, e.g. `sessions`.
    pub resource: &'static str,
    /// The HTTP method in upper case.
    pub method: &'static str,
    /// The path below the base URL, with its parameters in braces, e.g.
    /// `/v1/sessions/{session_id}`.
    pub path: &'static str,
    /// Whether it is sent without a key.
    pub open: bool,
    /// Whether it may be sent again.
    pub class: Class,
    /// Whether the document lets the body be absent; an empty one is then not sent.
    pub optional_body: bool,
    /// The media type of the request body; `None` if it takes no body.
    pub content_type: Option<&'static str>,
    /// The `Accept` header; empty if the document names no media type.
    pub accept: &'static str,
    /// For each path parameter, the words that would address another operation.
    pub reserved: &'static [(&'static str, &'static [&'static str])],
    /// For operations whose redirect is an answer and not to be followed: the JSON pointer at which
    /// its target then stands in the answer.
    pub location: Option<&'static str>,
    /// The Rust type of the request body.
    pub request: Option<&'static str>,
    /// The Rust type of the answer.
    pub response: Option<&'static str>,
    /// Whether the document calls it deprecated.
    pub deprecated: bool,
}

impl Operation {
    /// The operation of this name.
    pub fn find(id: &str) -> Option<&'static Operation> {
        let table = crate::OPERATIONS;
        let index = table
            .binary_search_by(|operation| operation.id.cmp(id))
            .ok()?;
        table.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_found_by_its_id() {
        for operation in crate::OPERATIONS {
            assert_eq!(Operation::find(operation.id), Some(operation));
        }
        assert_eq!(Operation::find("no such operation"), None);
    }
}
