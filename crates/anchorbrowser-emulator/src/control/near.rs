//! Operations whose names resemble a name that is none.

use super::redact::words;

/// Longer names resemble nothing.
const LONGEST: usize = 100;

/// How many are named.
const MOST: usize = 3;

/// The operations nearest to `name`, by id; or by method and path, if `name` looks like these.
pub(super) fn nearest<'a>(
    name: &str,
    known: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<&'a str> {
    let name = shown(name);
    let by_path = name.contains('/');
    let sorted = sorted(&name);
    let mut ranked: Vec<(usize, &str)> = known
        .map(|(id, key)| {
            let candidate = if by_path { key } else { id };
            // Words in another order are near too: `session_create`, `createSession`.
            let words = distance(&sorted, &self::sorted(candidate));
            (distance(&name, candidate).min(words), candidate)
        })
        .collect();
    ranked.sort();
    ranked
        .into_iter()
        .take(MOST)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// The start of a name, as far as it is worth repeating.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(LONGEST).collect()
}

fn sorted(name: &str) -> String {
    let mut words = words(name);
    words.sort();
    words.join("_")
}

/// How many characters must be put in, left out or replaced to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (above, y) in row.windows(2).zip(&b) {
            let [diagonal, above] = above else { continue };
            left = (diagonal + usize::from(x != *y))
                .min(above + 1)
                .min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let cases = [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
            ("é", "e", 1),
        ];
        for (a, b, expected) in cases {
            assert_eq!(
                (distance(a, b), distance(b, a)),
                (expected, expected),
                "{a} {b}"
            );
        }
    }

    #[test]
    fn the_nearest_come_first() {
        let known = || {
            [
                ("create_session", "POST /v1/sessions"),
                ("list_sessions", "GET /v1/sessions"),
                ("create_webhook", "POST /v1/webhooks"),
                ("goto", "POST /v1/sessions/{sessionId}/goto"),
            ]
            .into_iter()
        };
        for name in [
            "create_sesion",
            "createSession",
            "session.create",
            "create-session",
        ] {
            assert_eq!(
                nearest(name, known()).first(),
                Some(&"create_session"),
                "{name}"
            );
        }
        assert_eq!(
            nearest("POST /v1/session", known()).first(),
            Some(&"POST /v1/sessions")
        );
        assert_eq!(nearest(&"x".repeat(1_000_000), known()).len(), 3);
    }
}
