//! The table of operations.

use std::collections::BTreeSet;

use anchorbrowser_api::{Class, OPERATIONS, Operation};

use crate::snapshot;

/// One line for each operation. The widths are fixed: a longer name must not move all lines.
fn line(operation: &Operation) -> String {
    let class = match operation.class {
        Class::Read => "read",
        Class::Repeatable => "repeatable",
        Class::Once => "once",
    };
    let request = operation.request.map(|name| {
        let optional = if operation.optional_body { "?" } else { "" };
        let kind = not_json(operation.content_type.unwrap_or("no content type"));
        format!("{name}{optional}{kind} ")
    });
    let response = operation.response.unwrap_or("nothing");
    let mut line = format!(
        "{:<32}  {:<6}  {:<64}  {class:<10}  {}-> {response}{}",
        operation.id,
        operation.method,
        operation.path,
        request.unwrap_or_default(),
        not_json(operation.accept),
    );
    if let Some(pointer) = operation.location {
        line += &format!(", a redirect as {pointer}");
    }
    if operation.open {
        line += ", open";
    }
    if operation.deprecated {
        line += ", deprecated";
    }
    line
}

fn not_json(content_type: &str) -> String {
    match content_type {
        "application/json" => String::new(),
        other => format!(" ({other})"),
    }
}

/// The values that a path parameter refuses, one line for each place of one.
fn reserved() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for operation in OPERATIONS {
        for (name, words) in operation.reserved {
            let (before, _) = operation.path.split_once(&format!("{{{name}}}")).unwrap();
            lines.insert(format!("{before}{{{name}}}  is not {}", words.join(", ")));
        }
    }
    lines
}

#[test]
fn snapshot() {
    let lines: Vec<String> = OPERATIONS.iter().map(line).collect();
    let reserved: Vec<String> = reserved().into_iter().collect();
    snapshot::check(
        "operations",
        &format!("{}\n\n{}", lines.join("\n"), reserved.join("\n")),
    );
}

#[test]
fn the_table_holds_all_operations_in_order() {
    assert!(!OPERATIONS.is_empty());
    assert!(
        OPERATIONS.is_sorted_by(|a, b| a.id < b.id),
        "sorted, and no id twice"
    );
    let routes: BTreeSet<_> = OPERATIONS.iter().map(|o| (o.method, o.path)).collect();
    assert_eq!(routes.len(), OPERATIONS.len(), "no route twice");
}

#[test]
fn only_agent_access_needs_no_key() {
    let open: Vec<&str> = OPERATIONS.iter().filter(|o| o.open).map(|o| o.id).collect();
    let expected = [
        "create_agent_access_project",
        "get_agent_access_appendix",
        "get_agent_access_challenge",
        "get_agent_access_guide",
    ];
    assert_eq!(open, expected);
}

#[test]
fn each_operation_that_takes_a_session_id_reserves_the_static_paths() {
    let mut seen = 0;
    for operation in OPERATIONS
        .iter()
        .filter(|o| o.path.starts_with("/v1/sessions/{"))
    {
        let words = ["all", "async", "history", "pending-interventions"];
        let (name, found) = operation.reserved.first().unwrap();
        assert!(
            operation
                .path
                .starts_with(&format!("/v1/sessions/{{{name}}}"))
        );
        assert_eq!(found, &words, "{}", operation.id);
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn only_reads_are_gets() {
    for operation in OPERATIONS {
        let is_get = operation.method == "GET";
        assert_eq!(operation.class == Class::Read, is_get, "{}", operation.id);
        // What starts, runs or creates something is a POST; none may be sent twice.
        let is_post = operation.method == "POST";
        assert!(
            !is_post || operation.class == Class::Once,
            "{}",
            operation.id
        );
    }
}
