//! Snapshots: `snapshots/NAME.snap` beside the tests.

/// Compares a text with the snapshot of this name.
pub(crate) fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Writes one test for each resource, so that one's difference does not hide another's, and the
/// list of them.
macro_rules! for_each_resource {
    ($check:ident: $($resource:ident)*) => {
        const RESOURCES: &[&str] = &[$(stringify!($resource)),*];

        $(
            #[test]
            fn $resource() {
                $check(stringify!($resource));
            }
        )*
    };
}
pub(crate) use for_each_resource;
