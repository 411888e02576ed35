use reqwest::header::HeaderValue;

use super::*;

fn told(value: &[u8]) -> Option<String> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_bytes(value).ok()?;
    headers.insert(CONTENT_DISPOSITION, value);
    of_headers(&headers)
}

#[test]
fn the_name_is_found_in_the_header() {
    for (value, expected) in [
        ("attachment; filename=a.txt", Some("a.txt")),
        ("attachment;filename=a.txt;size=3", Some("a.txt")),
        ("ATTACHMENT; FileName = \"a b.txt\" ; x=y", Some("a b.txt")),
        ("inline; filename=\"a;b=\\\"c\\\\d\"", Some("a;b=\"c\\d")),
        (
            "attachment; filename=\"C:\\x\\a.txt\"",
            Some("C:\\x\\a.txt"),
        ),
        (
            "attachment; filename=\"x.txt\"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt",
            Some("naïve €.txt"),
        ),
        (
            "attachment; filename*=utf-8'en'b.txt; filename=a.txt",
            Some("b.txt"),
        ),
        ("attachment; filename*=ISO-8859-1''%FC.txt", Some("ü.txt")),
        // What cannot be read is left for what can.
        (
            "attachment; filename*=UTF-8''%FF; filename=a.txt",
            Some("a.txt"),
        ),
        (
            "attachment; filename*=koi8-r''a; filename=a.txt",
            Some("a.txt"),
        ),
        ("attachment; filename*=b.txt", None),
        ("attachment; filename=\"open", Some("open")),
        ("attachment; filename=", Some("")),
        ("attachment; afilename=a", None),
        ("attachment; x=\"; filename=evil\"; filename=a", Some("a")),
        ("attachment", None),
        ("filename=a.txt", None),
        ("", None),
        (";=;==;", None),
        ("attachment; filename=\"ü.txt\"", Some("ü.txt")),
    ] {
        assert_eq!(told(value.as_bytes()).as_deref(), expected, "{value}");
    }
    let name = told(b"attachment; filename=\"\xfc.txt\"");
    assert_eq!(name.as_deref(), Some("ü.txt"));
}

#[test]
fn a_name_is_one_that_a_file_can_have() {
    for (name, expected) in [
        ("report.pdf", Some("report.pdf")),
        ("Übersicht 2024 (1).pdf", Some("Übersicht 2024 (1).pdf")),
        ("../../etc/passwd", Some("passwd")),
        ("..\\..\\windows\\x.dll", Some("x.dll")),
        ("/etc/passwd", Some("passwd")),
        ("C:\\x.txt", Some("x.txt")),
        ("C:x.txt", Some("C_x.txt")),
        ("x.txt:stream", Some("x.txt_stream")),
        ("a/", None),
        ("..", None),
        (".", None),
        ("", None),
        (" . . ", None),
        (".bashrc", Some("bashrc")),
        ("...", None),
        ("a.txt. . ", Some("a.txt")),
        ("a\0b\r\n\tc\u{7f}\u{85}", Some("abc")),
        ("invoice\u{202e}fdp.exe", Some("invoicefdp.exe")),
        ("a\u{200b}\u{feff}b", Some("ab")),
        ("a<b>c|d?e*f\"g", Some("a_b_c_d_e_f_g")),
        ("CON", Some("_CON")),
        ("nul.txt", Some("_nul.txt")),
        ("Com1.tar.gz", Some("_Com1.tar.gz")),
        ("lpt³", Some("_lpt³")),
        ("aux .txt", Some("_aux .txt")),
        ("com", Some("com")),
        ("com10", Some("com10")),
        ("console.log", Some("console.log")),
        ("~", Some("~")),
        ("-rf", Some("-rf")),
    ] {
        assert_eq!(sanitize(name).as_deref(), expected, "{name:?}");
    }
}

#[test]
fn a_long_name_keeps_its_ending() {
    for (stem, ending, kept) in [
        ("a", ".pdf", true),
        ("é", ".pdf", true),
        ("🦀", ".tar.gz", true),
        ("a", ".an-ending-that-is-none-at-all", false),
        ("a", "", true),
    ] {
        let name = sanitize(&format!("{}{ending}", stem.repeat(300))).unwrap_or_default();
        assert!(name.len() > 180 && name.len() <= 200, "{name}");
        let last = ending.rsplit_once('.').map_or("", |(_, last)| last);
        assert_eq!(name.ends_with(last), kept, "{name}");
    }
}

#[test]
fn a_number_stands_before_the_ending() {
    for (name, number, expected) in [
        ("a.pdf", 0, "a.pdf"),
        ("a.pdf", 1, "a (1).pdf"),
        ("a.tar.gz", 2, "a.tar (2).gz"),
        ("a", 12, "a (12)"),
        (".a", 1, ".a (1)"),
    ] {
        assert_eq!(numbered(name, number), expected);
    }
}
