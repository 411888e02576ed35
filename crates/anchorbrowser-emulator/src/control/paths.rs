//! Which paths there are.

use percent_encoding::percent_decode_str;

/// Something that has a path of its own, with what the path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Page,
    Health,
    State,
    Requests,
    Faults,
    Scripts,
    Advance,
    Reset,
    File(String),
    Download(String),
    Live,
    LiveSocket,
    SessionDownloads(String),
}

/// What a place is called in lists and logs, and its methods.
const ALL: [(&str, &[&str]); 13] = [
    ("/", &["GET"]),
    ("/__emulator/health", &["GET"]),
    ("/__emulator/state", &["GET"]),
    ("/__emulator/requests", &["GET", "DELETE"]),
    ("/__emulator/faults", &["GET", "POST", "DELETE"]),
    ("/__emulator/scripts", &["POST", "DELETE"]),
    ("/__emulator/clock/advance", &["POST"]),
    ("/__emulator/reset", &["POST"]),
    ("/__emulator/files/{link}", &["GET", "PUT"]),
    ("/__emulator/downloads/{id}", &["GET"]),
    ("/__emulator/live", &["GET"]),
    ("/__emulator/live/socket", &["GET"]),
    ("/__emulator/sessions/{id}/downloads", &["POST"]),
];

/// Paths and their methods.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    ALL.into_iter()
}

/// The place that a path leads to.
pub(super) fn find(path: &str) -> Option<Place> {
    if path == "/" {
        return Some(Place::Page);
    }
    let segments: Option<Vec<String>> = path
        .strip_prefix("/__emulator/")?
        .split('/')
        .map(decoded)
        .collect();
    let segments = segments?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    Some(match segments.as_slice() {
        ["health"] => Place::Health,
        ["state"] => Place::State,
        ["requests"] => Place::Requests,
        ["faults"] => Place::Faults,
        ["scripts"] => Place::Scripts,
        ["clock", "advance"] => Place::Advance,
        ["reset"] => Place::Reset,
        ["live"] => Place::Live,
        ["live", "socket"] => Place::LiveSocket,
        ["files", link] if !link.is_empty() => Place::File((*link).to_owned()),
        ["downloads", id] if !id.is_empty() => Place::Download((*id).to_owned()),
        ["sessions", id, "downloads"] if !id.is_empty() => {
            Place::SessionDownloads((*id).to_owned())
        }
        _ => return None,
    })
}

fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    Some(text.into_owned())
}

impl Place {
    fn entry(&self) -> (&'static str, &'static [&'static str]) {
        let [
            page,
            health,
            state,
            requests,
            faults,
            scripts,
            advance,
            reset,
            file,
            download,
            live,
            live_socket,
            downloads,
        ] = ALL;
        match self {
            Self::Page => page,
            Self::Health => health,
            Self::State => state,
            Self::Requests => requests,
            Self::Faults => faults,
            Self::Scripts => scripts,
            Self::Advance => advance,
            Self::Reset => reset,
            Self::File(_) => file,
            Self::Download(_) => download,
            Self::Live => live,
            Self::LiveSocket => live_socket,
            Self::SessionDownloads(_) => downloads,
        }
    }

    /// Its path, without what the path names.
    pub(super) fn name(&self) -> &'static str {
        self.entry().0
    }

    pub(super) fn methods(&self) -> &'static [&'static str] {
        self.entry().1
    }
}
