//! Finds the program.

use std::path::{Path, PathBuf};

/// Which browser runs the sessions of an emulator.
///
/// Done by the browser of a session, in the page that was opened last:
/// - `goto`, which ends when the page has loaded, or after 30 seconds with 500, and the list of pages;
/// - mouse, drag and drop, scrolling and keyboard, with the layout of the United States. An element that a selector names
///   is waited for, and refused with 400 if it does not come. Selectors see the main frame;
/// - the clipboard, which is the session's own while the browser is headless. It can't be read while the focus is in a
///   frame of another site;
/// - uploads: the answer says which path the file has, and the next file chooser that a page opens gets the file that was
///   uploaded last, unless a client is connected by CDP;
/// - downloads, those by links and by scripts: each is listed and fetched when it is complete, and the browser's copy is
///   removed, unless a client has chosen where it is put;
/// - the tools screenshot, page-pdf and fetch/webpage. Without a session each has a browser of its own for as long as it
///   takes, which counts as one of the account. Pictures are always PNG, whatever `image_quality` says, and are sent to no
///   other address. With browsers, fetch/webpage takes pages on this machine too, but no other private hosts;
/// - `execute-code`, unless a script is set for it: the code is run in the page, not beside it, so it has `document` and
///   not `page`. It is JavaScript: types are syntax errors. It has 60 seconds;
/// - the URL that an agent or a login begins at. What they do there is still made up.
///
/// Settings with an effect: `headless`, `viewport`, `initial_url`, custom `proxy`, `disable_web_security`, `pdf_viewer`,
/// `p2p_download` and `disable_dialogs`. Dialogs are dismissed, those of `beforeunload` accepted: at once where they are
/// disabled or nobody is connected by CDP, else after ten seconds in which clients may answer.
///
/// Without effect: `adblock`, `popup_blocker`, `captcha_solver`, `extra_stealth`, `force_popups_as_tabs`, `web_bot_auth`,
/// `fullscreen`, `tracing`, `sensitive_data_mask`, and the proxies of the vendor. Bytes are counted per page, not weighed.
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
pub(super) fn look_up(path: &Path) -> Option<PathBuf> {
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
