//! Prose of a document as Rust docs that rustdoc takes without a warning.

/// The lines of a doc comment. Nothing for blank text.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fence: Option<&str> = None;
    let clean: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter_map(printable)
        .collect();
    for line in clean.trim().lines() {
        let line = line.trim_end();
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => {
                // Another language than `text` may be taken for Rust.
                fence = Some(mark);
                lines.push(format!("{mark}text"));
            }
            (Some(open), Some(mark))
                if open == mark && trimmed.trim_start_matches(['`', '~']).is_empty() =>
            {
                fence = None;
                lines.push(mark.to_owned());
            }
            (Some(_), _) => lines.push(line.to_owned()),
            (None, None) => lines.push(outside(line)),
        }
    }
    if let Some(mark) = fence {
        lines.push(mark.to_owned());
    }
    lines
}

/// The doc comment itself, each line with the given indentation.
pub(super) fn comment(text: &str, indent: &str) -> String {
    lines(text)
        .iter()
        .map(|line| {
            format!(
                "{indent}///{}{line}\n",
                if line.is_empty() { "" } else { " " }
            )
        })
        .collect()
}

/// The doc comment as attributes.
pub(super) fn attributes(text: &str) -> Vec<syn::Attribute> {
    lines(text)
        .iter()
        .map(|line| {
            let line = if line.is_empty() {
                String::new()
            } else {
                format!(" {line}")
            };
            syn::parse_quote!(#[doc = #line])
        })
        .collect()
}

/// Control characters and those that turn the direction of writing are refused by the compiler.
fn printable(c: char) -> Option<char> {
    let turning =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match c {
        '\n' => Some(c),
        '\t' => Some(' '),
        _ if c.is_control() || turning => None,
        _ => Some(c),
    }
}

/// A line outside of fenced code.
fn outside(line: &str) -> String {
    // Four spaces would make it a code block, and code is Rust to rustdoc.
    let text = line.trim_start();
    let indent = if line.len() - text.len() > 1 {
        "  "
    } else {
        ""
    };
    let spans = text.matches('`').count();
    let mut out = String::from(indent);
    let mut rest = text;
    let mut left = if spans.is_multiple_of(2) {
        spans
    } else {
        spans - 1
    };
    while let Some(index) = rest.find('`') {
        out.push_str(&prose(&rest[..index]));
        rest = &rest[index + 1..];
        match rest.find('`') {
            Some(end) if left >= 2 => {
                out.push_str(&format!("`{}`", &rest[..end]));
                rest = &rest[end + 1..];
                left -= 2;
            }
            _ => out.push_str("\\`"),
        }
    }
    out.push_str(&prose(rest));
    out
}

/// Prose without code: links to the web stay links, all else that looks like one is text.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((label, target, after)) = link(rest) {
            if is_web(target) {
                out.push_str(&format!("[{}]({target})", escaped(label)));
            } else {
                out.push_str(&prose(label));
            }
            rest = after;
        } else if is_web(rest) {
            let end = rest
                .find(|c: char| c.is_whitespace() || "<>\"'`|)]}".contains(c))
                .unwrap_or(rest.len());
            let url = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']);
            out.push_str(&format!("<{url}>"));
            rest = &rest[url.len()..];
            // An autolink of the document's own has its closing bracket already.
            if out.ends_with(&format!("\\<<{url}>")) {
                out.truncate(out.len() - url.len() - 4);
                out.push_str(&format!("<{url}>"));
                rest = rest.strip_prefix('>').unwrap_or(rest);
            }
        } else {
            out.push_str(&escape(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// `[label](target)` at the start of the text.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let label_end = text.strip_prefix('[')?.find("](")? + 1;
    let label = &text[1..label_end];
    let target = &text[label_end + 2..];
    let end = target.find(')')?;
    (!label.contains('[')).then_some((label, target[..end].trim(), &target[end + 1..]))
}

fn is_web(text: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
}

fn escaped(text: &str) -> String {
    text.chars().map(escape).collect()
}

fn escape(c: char) -> String {
    match c {
        '[' | ']' | '<' | '>' => format!("\\{c}"),
        _ => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_of_any_kind_becomes_docs() {
        let cases = [
            ("", ""),
            ("  \n ", ""),
            ("Plain text.", "Plain text."),
            (
                "See https://a.example/x?y=1, then go.",
                "See <https://a.example/x?y=1>, then go.",
            ),
            ("See <https://a.example>.", "See <https://a.example>."),
            (
                "[web](https://a.example) [doc](/guide) [x]",
                "[web](https://a.example) doc \\[x\\]",
            ),
            (
                "A <b>bold</b> `<tag>` `[x]`",
                "A \\<b\\>bold\\</b\\> `<tag>` `[x]`",
            ),
            ("odd ` tick and `code`", "odd ` tick and `code\\`"),
            ("a\n\n    indented", "a\n\n  indented"),
            ("* a\n    * b", "* a\n  * b"),
            ("```js\nlet x;\n```\nafter", "```text\nlet x;\n```\nafter"),
            ("```\nopen", "```text\nopen\n```"),
            ("a\u{202e}b\u{7}c", "abc"),
            ("tab\there  ", "tab here"),
        ];
        for (text, expected) in cases {
            assert_eq!(lines(text).join("\n"), expected, "{text:?}");
        }
    }

    #[test]
    fn a_comment_has_one_line_a_line() {
        assert_eq!(comment("a\n\nb", "    "), "    /// a\n    ///\n    /// b\n");
    }
}
