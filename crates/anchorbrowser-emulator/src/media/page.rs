//! Printed pages.

use std::fmt::Write as _;

/// Letter, in inches: what Chromium prints on unless told otherwise.
const LETTER: (f64, f64) = (8.5, 11.0);

/// Points to the inch.
const INCH: f64 = 72.0;

/// The longest side that PDF 1.4 readers take, in points.
const LONGEST: f64 = 14_400.0;

/// Left and top margin, in points.
const MARGIN: f64 = 36.0;

/// Size of the type, in points.
const TYPE: f64 = 18.0;

/// Every letter of Courier is this wide, in parts of the type size. Lines can be broken without font tables.
const ADVANCE: f64 = 0.6;

/// From one line to the next, in parts of the type size.
const LEADING: f64 = 1.25;

/// A title longer than this is cut, in characters. PDF 1.4 limits a string to 65,535 bytes.
const LONGEST_TITLE: usize = 1000;

/// A PDF 1.4 document of one page that shows `title`.
///
/// `paper` is width and height in inches; without it, or with sizes that are not positive numbers, the page is
/// Letter. `landscape` swaps the two. Characters outside Latin-1 are shown as `?`; the title in the properties
/// of the document keeps them. Text that does not fit on the page is left out.
pub(crate) fn pdf(title: &str, landscape: bool, paper: Option<(f64, f64)>) -> Vec<u8> {
    let title: String = title.chars().take(LONGEST_TITLE).collect();
    let (width, height) = size(landscape, paper);
    let shown = content(&title, width, height);
    assemble(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.2} {height:.2}] \
             /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>"
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{shown}\nendstream", shown.len()),
        format!(
            "<< /Title {} /Producer (anchorbrowser-emulator) >>",
            unicode(&title)
        ),
    ])
}

/// Width and height in points.
fn size(landscape: bool, paper: Option<(f64, f64)>) -> (f64, f64) {
    let usable = |side: f64| side.is_finite() && side > 0.0;
    let (width, height) = paper
        .filter(|&(width, height)| usable(width) && usable(height))
        .unwrap_or(LETTER);
    // Readers refuse pages below three points.
    let points = |side: f64| (side * INCH).clamp(3.0, LONGEST);
    let (width, height) = (points(width), points(height));
    if landscape {
        (height, width)
    } else {
        (width, height)
    }
}

/// The operators that draw the title, line by line from the top. Plain ASCII.
fn content(title: &str, width: f64, height: f64) -> String {
    let columns = (((width - 2.0 * MARGIN) / (TYPE * ADVANCE)) as usize).max(1);
    let rows = (((height - 2.0 * MARGIN) / (TYPE * LEADING)) as usize).max(1);
    let text: Vec<u8> = title.chars().map(latin).collect();
    let mut drawn = format!(
        "BT\n/F1 {TYPE} Tf\n{} TL\n{MARGIN} {:.2} Td",
        TYPE * LEADING,
        height - MARGIN - TYPE
    );
    for line in text.chunks(columns).take(rows) {
        let _ = write!(drawn, "\n({}) Tj T*", literal(line));
    }
    drawn.push_str("\nET");
    drawn
}

/// The byte of a character in WinAnsiEncoding where that is Latin-1. Line breaks and tabs become spaces.
fn latin(character: char) -> u8 {
    match u8::try_from(character) {
        Ok(b'\t' | b'\n' | b'\r') => b' ',
        Ok(byte @ (b' '..=b'~' | 0xa0..=0xff)) => byte,
        _ => b'?',
    }
}

/// What stands between the parentheses of a string.
fn literal(text: &[u8]) -> String {
    let mut escaped = String::new();
    for &byte in text {
        match byte {
            b'(' | b')' | b'\\' => {
                escaped.push('\\');
                escaped.push(char::from(byte));
            }
            b' '..=b'~' => escaped.push(char::from(byte)),
            // Three digits always, so that a digit that follows is not taken for a part of it.
            _ => {
                let _ = write!(escaped, "\\{byte:03o}");
            }
        }
    }
    escaped
}

/// A string of the document's properties: UTF-16 with a byte order mark, in hexadecimal.
fn unicode(text: &str) -> String {
    let mut digits = "<FEFF".to_owned();
    for unit in text.encode_utf16() {
        let _ = write!(digits, "{unit:04X}");
    }
    digits.push('>');
    digits
}

/// Numbers the objects from 1, with the catalog first and the properties last, and adds the cross-reference table.
fn assemble(objects: &[String]) -> Vec<u8> {
    // Four bytes above 127 tell transfer programs that the file is binary.
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let count = objects.len();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", count + 1);
    for (number, object) in (1..).zip(objects) {
        // An entry is twenty bytes, the space before the line end included.
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        file.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let start = file.len();
    let _ = write!(
        table,
        "trailer\n<< /Size {} /Root 1 0 R /Info {count} 0 R >>\nstartxref\n{start}\n%%EOF\n",
        count + 1
    );
    file.extend_from_slice(table.as_bytes());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(file: &[u8]) -> String {
        file.iter().copied().map(char::from).collect()
    }

    #[test]
    fn the_table_points_at_the_objects() {
        for title in ["", "Example", "(a) \\ b", "Grüße €", &"long ".repeat(500)] {
            let file = pdf(title, false, None);
            let all = text(&file);
            let (before, start) = all.rsplit_once("startxref\n").unwrap();
            let start: usize = start.lines().next().unwrap().parse().unwrap();
            assert!(file[start..].starts_with(b"xref\n0 7\n"));
            let entries: Vec<&str> = before[before.find("65535 f \n").unwrap()..]
                .lines()
                .skip(1)
                .take(6)
                .collect();
            for (number, entry) in (1..).zip(entries) {
                assert_eq!(entry.len(), 19, "without the line end");
                let offset: usize = entry[..10].parse().unwrap();
                let head = format!("{number} 0 obj\n");
                assert!(
                    file[offset..].starts_with(head.as_bytes()),
                    "{title} {number}"
                );
            }
        }
    }

    #[test]
    fn the_length_of_the_stream_is_right() {
        let all = text(&pdf("Grüße (1)", false, None));
        let (_, rest) = all.split_once("/Length ").unwrap();
        let (length, rest) = rest.split_once(" >>\nstream\n").unwrap();
        let (stream, _) = rest.split_once("\nendstream").unwrap();
        assert_eq!(stream.len(), length.parse::<usize>().unwrap());
    }

    #[test]
    fn paper_and_orientation_decide_the_page() {
        let cases = [
            (false, None, "612.00 792.00"),
            (true, None, "792.00 612.00"),
            (false, Some((8.27, 11.7)), "595.44 842.40"),
            (true, Some((8.27, 11.7)), "842.40 595.44"),
            (false, Some((f64::NAN, 11.0)), "612.00 792.00"),
            (false, Some((-1.0, 11.0)), "612.00 792.00"),
            (false, Some((0.0, 0.0)), "612.00 792.00"),
            (false, Some((f64::MAX, 1e-300)), "14400.00 3.00"),
        ];
        for (landscape, paper, expected) in cases {
            let all = text(&pdf("x", landscape, paper));
            assert!(
                all.contains(&format!("/MediaBox [0 0 {expected}]")),
                "{paper:?}"
            );
        }
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(literal(b"a(b)c\\d"), "a\\(b\\)c\\\\d");
        assert_eq!(literal(&[0xe9, b'1']), "\\3511");
        let shown: Vec<u8> = "a\u{e9}\n\u{20ac}\u{85}".chars().map(latin).collect();
        assert_eq!(shown, [b'a', 0xe9, b' ', b'?', b'?']);
        assert_eq!(unicode("a😀"), "<FEFF0061D83DDE00>");
    }

    #[test]
    fn long_titles_are_broken_and_cut() {
        let all = text(&pdf(&"x".repeat(100_000), false, Some((2.0, 2.0))));
        assert_eq!(all.matches(" Tj").count(), 3);
        assert!(all.len() < 8 * 1024, "{}", all.len());
    }
}
