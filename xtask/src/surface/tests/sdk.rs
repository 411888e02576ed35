//! The SDK's methods and what they are built on.

use std::path::Path;

use crate::surface::sdk::Sdk;

fn sdk() -> Sdk {
    Sdk::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

#[test]
fn methods_of_operations_are_found() {
    let sdk = sdk();
    let cases = [
        ("create_session", "sessions::CreateSession::send"),
        // Through a private function, and through another type.
        ("delete_session", "sessions::Sessions::end"),
        ("delete_session", "Session::end"),
        ("get_application", "applications::Applications::get"),
        // In a macro; only the docs name it.
        ("mouse_down", "control::Press::send"),
    ];
    for (operation, method) in cases {
        let methods = sdk.methods_of(operation);
        assert!(
            methods.iter().any(|it| it == method),
            "{operation}: {methods:?}"
        );
    }
    assert_eq!(
        sdk.methods_of("create_application"),
        ["applications::CreateApplication::send"]
    );
    assert!(sdk.methods_of("no_such_operation").is_empty());
}

#[test]
fn users_of_types_are_found() {
    let sdk = sdk();
    assert_eq!(
        sdk.users_of("types::CreateApplicationRequest"),
        [
            "applications::Applications::create",
            "applications::CreateApplication::description",
            "applications::CreateApplication::name",
            "applications::CreateApplication::send",
        ]
    );
    // It is handed on under its own name.
    let users = sdk.users_of("types::AuthMethod");
    assert!(
        users.iter().any(|it| it == "applications::AuthMethod"),
        "{users:?}"
    );
}

#[test]
fn each_operation_with_a_call_has_a_method() {
    let sdk = sdk();
    // The list of operations and the calls that reach them.
    let path = "../tests/it/snapshots/coverage.snap";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    // A snapshot begins with what it is of, between two lines of dashes.
    let body = text.splitn(3, "---\n").nth(2).unwrap();
    let operations: Vec<_> = body.lines().filter_map(|it| it.split_once(' ')).collect();
    assert!(operations.len() > 100);
    for (operation, _) in operations {
        assert!(
            !sdk.methods_of(operation).is_empty(),
            "no method of {operation} was found"
        );
    }
}
