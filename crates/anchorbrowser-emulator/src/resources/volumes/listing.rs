//! Lists of what is in a volume, by page.

use serde_json::{Value, json};

use super::files::{VolumeFile, entries, entry};
use super::{open, paths};
use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::world::{World, hex};

/// Entries of a page, without and with a limit in the request.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1_000;

/// The part of `entries` that a request asks for, and the cursor of what comes next. A cursor names the last entry
/// before it, so that pages stay right while files come and go.
fn slice<T>(
    call: &Call<'_>,
    mut entries: Vec<T>,
    name: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    let limit = match call.text("limit") {
        None => PAGE,
        Some(limit) => match limit.parse() {
            Ok(limit @ 1..) => LARGEST_PAGE.min(limit),
            _ => {
                return Err(Refusal::bad(
                    "query limit: must be a whole number from 1 on",
                ));
            }
        },
    };
    if let Some(cursor) = call.text("cursor").filter(|cursor| !cursor.is_empty()) {
        let last = unhex(cursor).ok_or_else(|| {
            Refusal::bad("query cursor: is none; take `next_cursor` of the page before")
        })?;
        entries.retain(|entry| name(entry) > last.as_str());
    }
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries
        .last()
        .filter(|_| more)
        .map(|last| hex(name(last).as_bytes()));
    Ok((entries, next))
}

fn unhex(text: &str) -> Option<String> {
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}

pub(super) fn files(world: &mut World, call: &Call<'_>) -> Outcome {
    let volume = open(world, call)?;
    let directory = paths::normal("query path", call.text("path").unwrap_or_default())?;
    let found = entry(world, &volume, &directory).is_some_and(|entry| entry.directory);
    if !directory.is_empty() && !found {
        return Err(Refusal::missing("directory", &directory));
    }
    let recursive = call.flag("recursive") == Some(true);
    let fits = |path: &str| {
        let inside = match directory.as_str() {
            "" => Some(path),
            directory => path
                .strip_prefix(directory)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        inside.is_some_and(|rest| recursive || !rest.contains('/'))
    };
    let (page, next) = slice(call, entries(world, &volume, fits), |entry| &entry.path)?;
    let items: Vec<Value> = page.into_iter().map(VolumeFile::entry).collect();
    Ok(Answer::data(json!({ "items": items, "next_cursor": next })))
}

/// All paths that begin with a text. Those of directories end in `/`.
pub(super) fn paths(world: &mut World, call: &Call<'_>) -> Outcome {
    let volume = open(world, call)?;
    let prefix = call
        .text("prefix")
        .unwrap_or_default()
        .trim_start_matches('/');
    let all = entries(world, &volume, |_| true).into_iter();
    let mut all: Vec<String> = all
        .map(|entry| format!("{}{}", entry.path, if entry.directory { "/" } else { "" }))
        .filter(|path| path.starts_with(prefix))
        .collect();
    all.sort();
    let (items, next) = slice(call, all, String::as_str)?;
    Ok(Answer::data(json!({ "items": items, "next_cursor": next })))
}
