//! Snapshots: `snapshots/NAME.snap` beside the tests.

use std::collections::BTreeMap;
use std::path::Path;

/// Compares a text with the snapshot of this name.
pub(crate) fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Compares the text of each resource with its snapshot `KIND__RESOURCE.snap`. All are compared
/// before the test fails, and a snapshot of a resource that is no more fails it too.
pub(crate) fn check_all(kind: &str, texts: &BTreeMap<&str, String>) {
    let compare = |resource: &str, text: &str| {
        let name = format!("{kind}__{resource}");
        std::panic::catch_unwind(|| check(&name, text))
            .is_err()
            .then_some(name)
    };
    let changed: Vec<_> = texts
        .iter()
        .filter_map(|(name, text)| compare(name, text))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/snapshots");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name());
    let stale: Vec<_> = files
        .filter_map(|file| file.into_string().ok())
        .filter(|file| {
            let resource = file.strip_prefix(&format!("{kind}__"));
            let resource = resource.and_then(|rest| rest.strip_suffix(".snap"));
            resource.is_some_and(|resource| !texts.contains_key(resource))
        })
        .collect();
    assert!(changed.is_empty(), "review these snapshots: {changed:?}");
    assert!(
        stale.is_empty(),
        "remove these snapshots, their resources are gone: {stale:?}"
    );
}
