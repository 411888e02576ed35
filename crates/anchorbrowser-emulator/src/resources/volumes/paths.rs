//! Paths in a volume: relative to its root, separated by `/`, without a slash at either end. The root is empty.

use crate::answer::Refusal;

const LONGEST_PATH: usize = 1024;
const LONGEST_NAME: usize = 255;

/// A path as it is kept. A leading slash stands for the root of the volume; empty segments and `.` are dropped.
/// `place` says in errors where the path stood.
pub(crate) fn normal(place: &str, path: &str) -> Result<String, Refusal> {
    let refuse = |what: &str| Err(Refusal::bad(format!("{place}: {what}")));
    if path.chars().any(char::is_control) || path.contains('\\') {
        return refuse("must not have control characters or backslashes");
    }
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "."))
        .collect();
    if segments.contains(&"..") {
        return refuse("must not have `..`; paths start at the root of the volume");
    }
    if segments.iter().any(|segment| segment.len() > LONGEST_NAME) {
        return refuse("a name in it is longer than 255 bytes");
    }
    let path = segments.join("/");
    if path.len() > LONGEST_PATH {
        return refuse("is longer than 1,024 bytes");
    }
    Ok(path)
}

/// The same, but the root is refused too.
pub(super) fn of_file(place: &str, path: &str) -> Result<String, Refusal> {
    match normal(place, path)? {
        path if path.is_empty() => Err(Refusal::bad(format!(
            "{place}: must name something in the volume"
        ))),
        path => Ok(path),
    }
}

/// The directories above `path`, from the top.
pub(super) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// What a client calls a file, without the directories before it. `None` if nothing usable is left.
pub(crate) fn file_name(name: &str) -> Option<&str> {
    let name = name.rsplit(['/', '\\']).next()?.trim();
    let usable = !matches!(name, "" | "." | "..")
        && name.len() <= LONGEST_NAME
        && !name.chars().any(char::is_control);
    usable.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_root() {
        for (path, kept) in [
            ("a/b.txt", "a/b.txt"),
            ("/a//b.txt", "a/b.txt"),
            ("./a/./b/", "a/b"),
            ("/", ""),
            ("a..b/...", "a..b/..."),
            ("ü/ %2e%2e", "ü/ %2e%2e"),
        ] {
            assert_eq!(normal("p", path).unwrap(), kept);
        }
        let (name, deep) = ("n".repeat(256), "n/".repeat(600));
        for path in [
            "..", "a/../b", "/..", "a\\..\\b", "a\0b", "a\nb", &name, &deep,
        ] {
            assert_eq!(normal("p", path).unwrap_err().status, 400, "{path:?}");
        }
        assert_eq!(of_file("p", "/.").unwrap_err().status, 400);
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
    }

    #[test]
    fn file_names_have_no_directories() {
        for (given, name) in [
            ("a.txt", Some("a.txt")),
            ("C:\\x\\a.txt", Some("a.txt")),
            ("../../a.txt", Some("a.txt")),
            ("a/..", None),
            ("", None),
        ] {
            assert_eq!(file_name(given), name);
        }
    }
}
