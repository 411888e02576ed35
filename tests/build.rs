//! Looks for a browser and for ffmpeg: tests that need one are ignored by name where there is none.

use std::env;
use std::path::PathBuf;

/// What the emulator looks for too.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// With it, tests that need what is not there run, and fail.
const REQUIRED: &str = "ANCHORBROWSER_REQUIRE_BROWSER";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-env-changed={REQUIRED}");
    let required = env::var_os(REQUIRED).is_some_and(|value| value == "1");
    for (missing, names) in [("no_browser", &BROWSERS[..]), ("no_ffmpeg", &["ffmpeg"])] {
        println!("cargo::rustc-check-cfg=cfg({missing})");
        match find(names) {
            Some(program) => println!("cargo::rerun-if-changed={}", program.display()),
            None if required => {}
            None => println!("cargo::rustc-cfg={missing}"),
        }
    }
}

/// The first program of one of these names.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .flat_map(|directory| names.iter().map(move |name| directory.join(name)))
        .find(|program| program.is_file())
}
