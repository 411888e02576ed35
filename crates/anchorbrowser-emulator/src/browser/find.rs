//! Finds the program.

use std::path::{Path, PathBuf};

/// Which browser runs the sessions of an emulator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Browser {
    /// None: pages are names, and there is nothing to connect to by CDP.
    #[default]
    Off,
    /// The first of `chromium`, `chromium-browser` and `google-chrome` that is installed; none if there is none of them.
    Auto,
    /// This program, which must be Chromium or Chrome: a path, or a name to look up in `PATH`.
    Path(PathBuf),
}

/// Names to look up.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Where programs are that are in no `PATH`.
const PLACES: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

impl Browser {
    /// The program, if there is to be one.
    pub(crate) fn program(&self) -> Result<Option<PathBuf>, String> {
        match self {
            Self::Off => Ok(None),
            Self::Auto => {
                let named = NAMES.iter().find_map(|name| look_up(Path::new(name)));
                let placed = || PLACES.iter().map(PathBuf::from).find(|path| runs(path));
                Ok(named.or_else(placed))
            }
            Self::Path(path) => match look_up(path) {
                Some(program) => Ok(Some(program)),
                None => Err(format!(
                    "browser: there is no program `{}`; install Chromium, or name the one that is there",
                    path.display()
                )),
            },
        }
    }
}

/// A path as it stands, or a name in `PATH`.
fn look_up(path: &Path) -> Option<PathBuf> {
    if path.components().count() > 1 {
        return runs(path).then(|| path.to_owned());
    }
    let variable = std::env::var_os("PATH")?;
    std::env::split_paths(&variable)
        .map(|directory| directory.join(path))
        .find(|path| runs(path))
}

#[cfg(unix)]
fn runs(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn runs(path: &Path) -> bool {
    path.is_file()
}
