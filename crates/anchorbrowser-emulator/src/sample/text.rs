//! Strings: by pattern, by format, or words that tell the member's name.

use serde_json::Value;

use super::judge::Judge;
use super::pattern::{MAX_TEXT, matching};
use super::random::Random;
use super::shape::Shape;

/// Attempts at a text that a pattern and limits of length leave little room for.
const ATTEMPTS: usize = 24;

/// A string for the shape, or `None` if none was found. `hint` is the name of the member, `varied` makes its length
/// random, for unions that tell their arms apart by length.
pub(super) fn text(
    judge: &Judge<'_>,
    random: &mut Random,
    shape: &Shape<'_>,
    hint: &str,
    varied: bool,
) -> Option<String> {
    let (min, max) = (shape.at_least("minLength"), shape.at_most("maxLength"));
    if min > max || min > MAX_TEXT {
        return None;
    }
    let (min, max) = if varied {
        random_length(random, min, max)
    } else {
        (min, max)
    };
    let patterns: Vec<&str> = shape.all("pattern").filter_map(Value::as_str).collect();
    for attempt in 0..ATTEMPTS {
        let pattern = patterns.get(attempt % patterns.len().max(1));
        let candidate = match pattern {
            Some(pattern) => matching(pattern, random, min, max),
            None => Some(free_text(random, shape, hint, min, max)),
        };
        if let Some(candidate) = candidate.filter(|candidate| is_met(judge, shape, candidate, "")) {
            return Some(candidate);
        }
    }
    None
}

/// Whether all parts of the shape, leaving out the keyword `except`, allow the text.
pub(super) fn is_met(judge: &Judge<'_>, shape: &Shape<'_>, text: &str, except: &str) -> bool {
    let value = Value::String(text.to_owned());
    shape
        .parts
        .iter()
        .all(|part| judge.plain(part, &value, except))
}

fn random_length(random: &mut Random, min: usize, max: usize) -> (usize, usize) {
    let length = min + random.below(max.saturating_sub(min).min(32) + 1);
    (length, length)
}

fn free_text(random: &mut Random, shape: &Shape<'_>, hint: &str, min: usize, max: usize) -> String {
    let word = word(hint);
    let formatted = shape
        .all("format")
        .filter_map(Value::as_str)
        .find_map(|format| formatted(random, format, &word, min));
    let Some(text) = formatted else {
        let text = by_name(random, &word);
        return if text.len() > max {
            random.hex(max.min(12).max(min))
        } else {
            padded(text, min)
        };
    };
    text
}

fn padded(mut text: String, min: usize) -> String {
    let missing = min.saturating_sub(text.len());
    text.extend(std::iter::repeat_n('a', missing));
    text
}

/// Text of a format that is at least `min` long where the format allows it; `None` for a format of no known form.
fn formatted(random: &mut Random, format: &str, word: &str, min: usize) -> Option<String> {
    Some(match format {
        "uuid" => uuid(random),
        "date-time" => date_time(random),
        "date" => date(random),
        "time" => format!("{:02}:{:02}:00Z", random.below(24), random.below(60)),
        "duration" => format!("PT{}M", 1 + random.below(59)),
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" => padded(url(random, word), min),
        "email" | "idn-email" => email(random, word),
        "hostname" | "idn-hostname" => format!("{word}-{}.example.com", random.hex(4)),
        "ipv4" => address(random),
        "ipv6" => format!("2001:db8::{}", random.hex(4)),
        "byte" | "base64" => bytes(random, min),
        "password" => padded(format!("Pass-{}", random.hex(12)), min),
        "json-pointer" => padded(format!("/{word}"), min),
        "relative-json-pointer" => "0".to_owned(),
        "uri-template" => padded(format!("https://example.com/{{id}}/{word}"), min),
        "regex" => "^[a-z]+$".to_owned(),
        _ => return None,
    })
}

/// A member's name as lower-case words with hyphens.
fn word(name: &str) -> String {
    let mut word = String::new();
    for character in name.chars().take(40) {
        if character.is_ascii_uppercase() && !word.is_empty() && !word.ends_with('-') {
            word.push('-');
        }
        match character {
            'a'..='z' | '0'..='9' => word.push(character),
            'A'..='Z' => word.push(character.to_ascii_lowercase()),
            _ if !word.is_empty() && !word.ends_with('-') => word.push('-'),
            _ => {}
        }
    }
    let word = word.trim_end_matches('-');
    if word.is_empty() {
        "text".to_owned()
    } else {
        word.to_owned()
    }
}

fn by_name(random: &mut Random, word: &str) -> String {
    match word.rsplit('-').next().unwrap_or(word) {
        "url" | "uri" | "link" | "href" => url(random, word),
        "email" => email(random, word),
        "at" => date_time(random),
        "date" => date(random),
        "ip" => address(random),
        _ => format!("{word}-{}", random.hex(4)),
    }
}

fn url(random: &mut Random, word: &str) -> String {
    format!("https://example.com/{word}-{}", random.hex(4))
}

fn email(random: &mut Random, word: &str) -> String {
    format!("{word}-{}@example.com", random.hex(4))
}

/// An address of the range for documentation.
fn address(random: &mut Random) -> String {
    format!("192.0.2.{}", 1 + random.below(254))
}

fn date(random: &mut Random) -> String {
    format!(
        "2025-{:02}-{:02}",
        1 + random.below(12),
        1 + random.below(28)
    )
}

fn date_time(random: &mut Random) -> String {
    format!(
        "{}T{:02}:{:02}:{:02}Z",
        date(random),
        random.below(24),
        random.below(60),
        random.below(60)
    )
}

fn uuid(random: &mut Random) -> String {
    let variant = random.pick(&['8', '9', 'a', 'b']).copied().unwrap_or('8');
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        random.hex(8),
        random.hex(4),
        random.hex(3),
        random.hex(3),
        random.hex(12)
    )
}

/// Base64 without padding signs: any four of its letters are three bytes.
fn bytes(random: &mut Random, min: usize) -> String {
    random.hex(min.max(8).next_multiple_of(4))
}
