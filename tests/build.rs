//! Looks for a browser: tests that need one are ignored by name where there is none.

use std::env;
use std::path::PathBuf;

/// What the emulator looks for too.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

fn main() {
    const REQUIRED: &str = "ANCHORBROWSER_REQUIRE_BROWSER";
    println!("cargo::rustc-check-cfg=cfg(no_browser)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-env-changed={REQUIRED}");
    let path = env::var_os("PATH").unwrap_or_default();
    let find = |names: &[&str]| -> Option<PathBuf> {
        env::split_paths(&path)
            .flat_map(|directory| names.iter().map(move |name| directory.join(name)))
            .find(|program| program.is_file())
    };
    println!("cargo::rustc-check-cfg=cfg(no_ffmpeg)");
    if find(&["ffmpeg"]).is_none() {
        println!("cargo::rustc-cfg=no_ffmpeg");
    }
    match find(&NAMES) {
        Some(program) => println!("cargo::rerun-if-changed={}", program.display()),
        // Where a browser is required, the tests run, and fail.
        None if env::var_os(REQUIRED).is_some_and(|value| value == "1") => {}
        None => println!("cargo::rustc-cfg=no_browser"),
    }
}
