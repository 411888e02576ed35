//! What the configuration of a session says of its browser.

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use super::proxy::Proxy;
use crate::resources::control;
use crate::resources::sessions::{Session, switch};

/// Settings of a browser that is to be started.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Width and height of a page.
    pub(crate) viewport: (u32, u32),
    /// With a window, if there is a display for it.
    headful: bool,
    /// Or why it can't be used.
    pub(super) proxy: Result<Option<Proxy>, String>,
    web_security: bool,
    /// Opened first.
    pub(crate) url: Option<String>,
    /// PDF files are shown, not downloaded.
    pub(super) pdf_viewer: bool,
    /// What is downloaded is kept in the session.
    pub(super) keeps_downloads: bool,
    /// Dialogs are answered before anybody can do so.
    pub(super) no_dialogs: bool,
    /// The profile that it starts from.
    pub(super) profile: Option<String>,
    /// It is recorded, if there is something to make a video with.
    pub(crate) record: bool,
}

impl Settings {
    /// Those of a session.
    pub(crate) fn of(session: &Session) -> Self {
        let configuration = &session.configuration;
        let text = |pointer| configuration.pointer(pointer).and_then(Value::as_str);
        Self {
            viewport: control::viewport(session),
            // A window on the developer's screen is opened only for who asks for one: the API's default is headful.
            headful: !switch(configuration, "/browser/headless", true),
            proxy: Proxy::of(configuration),
            web_security: !switch(configuration, "/browser/disable_web_security", false),
            url: text("/session/initial_url").map(str::to_owned),
            pdf_viewer: switch(configuration, "/browser/pdf_viewer", true),
            keeps_downloads: !switch(configuration, "/browser/p2p_download", false),
            no_dialogs: switch(configuration, "/browser/disable_dialogs", false),
            profile: text("/browser/profile/name").map(str::to_owned),
            record: session.switch("/session/recording", true),
        }
    }

    /// Those of a browser that belongs to no session.
    pub(super) fn borrowed(viewport: (u32, u32)) -> Self {
        Self {
            viewport,
            headful: false,
            proxy: Ok(None),
            web_security: true,
            url: None,
            pdf_viewer: false,
            keeps_downloads: false,
            no_dialogs: true,
            profile: None,
            record: false,
        }
    }

    /// The command line of the browser, which is to use `proxy`.
    pub(super) fn arguments(&self, profile: &Path, proxy: Option<&str>) -> Vec<OsString> {
        let (width, height) = self.viewport;
        let mut arguments: Vec<OsString> = USUAL.iter().map(OsString::from).collect();
        let mut add = |name: &str, value: &str| arguments.push(format!("{name}={value}").into());
        add("--window-size", &format!("{width},{height}"));
        if let Some(proxy) = proxy {
            add("--proxy-server", proxy);
            // Pages on this machine go through it too.
            add("--proxy-bypass-list", "<-loopback>");
        }
        let mut directory = OsString::from("--user-data-dir=");
        directory.push(profile);
        arguments.push(directory);
        if !(self.headful && has_display()) {
            arguments.push("--headless=new".into());
        }
        if !self.web_security {
            arguments.push("--disable-web-security".into());
        }
        if is_root() {
            // It refuses to start as root otherwise.
            arguments.push("--no-sandbox".into());
        }
        arguments.push("about:blank".into());
        arguments
    }
}

/// Nothing on first start, nothing in the background, no keychain, no crash reports.
const USUAL: [&str; 16] = [
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-backgrounding-occluded-windows",
    "--disable-background-timer-throttling",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--disable-sync",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
];

#[cfg(target_os = "linux")]
fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

#[cfg(not(target_os = "linux"))]
fn has_display() -> bool {
    true
}

#[cfg(target_os = "linux")]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(target_os = "linux"))]
fn is_root() -> bool {
    false
}
