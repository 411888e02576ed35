//! Settings of a browser that its command line has no word for: they stand in its profile.

use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Settings, downloads};

/// Writes them into the profile, over those that it may have from a session before.
pub(super) fn write(directory: &Path, settings: &Settings) -> io::Result<()> {
    let profile = directory.join("profile").join("Default");
    std::fs::create_dir_all(&profile)?;
    std::fs::create_dir_all(downloads::place(directory))?;
    let file = profile.join("Preferences");
    let known = std::fs::read(&file).ok();
    let known = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut preferences: Map<String, Value> = known.unwrap_or_default();
    for (part, name, value) in [
        // For a client that leaves when it has set a place of its own.
        (
            "download",
            "default_directory",
            json!(downloads::place(directory)),
        ),
        ("download", "prompt_for_download", json!(false)),
        (
            "plugins",
            "always_open_pdf_externally",
            json!(!settings.pdf_viewer),
        ),
    ] {
        let part = preferences.entry(part).or_insert_with(|| json!({}));
        if let Value::Object(part) = part {
            part.insert(name.to_owned(), value);
        }
    }
    std::fs::write(file, Value::Object(preferences).to_string())
}
