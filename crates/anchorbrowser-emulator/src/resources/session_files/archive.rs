//! What is in a ZIP archive, by the directory at its end. Nothing is decompressed.

/// A file in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// As the archive states it.
    pub(super) size: u64,
}

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const FILE: &[u8] = b"PK\x01\x02";
const FILE_LENGTH: usize = 46;

/// The files of an archive, without its directories. `None` if it is none, or one of more than 4 GB.
pub(super) fn entries(archive: &[u8]) -> Option<Vec<Entry>> {
    let end = end(archive)?;
    let count = short(archive, end + 10)?;
    let mut at = long(archive, end + 16)?;
    if count == usize::from(u16::MAX) || at == u32::MAX as usize {
        return None;
    }
    let mut entries = Vec::new();
    for _ in 0..count {
        let header = archive.get(at..at.checked_add(FILE_LENGTH)?)?;
        if !header.starts_with(FILE) {
            return None;
        }
        let (name, extra, comment) = (short(header, 28)?, short(header, 30)?, short(header, 32)?);
        let first = at + FILE_LENGTH;
        let text = archive.get(first..first + name)?;
        if !text.ends_with(b"/") {
            let name = String::from_utf8_lossy(text).into_owned();
            entries.push(Entry {
                name,
                size: long(header, 24)? as u64,
            });
        }
        at = first + name + extra + comment;
    }
    Some(entries)
}

/// Where the record at the end begins: only a comment of its stated length follows it.
fn end(archive: &[u8]) -> Option<usize> {
    let last = archive.len().checked_sub(END_LENGTH)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last).rev().find(|&at| {
        archive.get(at..).is_some_and(|rest| rest.starts_with(END))
            && short(archive, at + 20) == Some(last - at)
    })
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(number)))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(number)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive with uncompressed files.
    fn zip(files: &[(&str, &str)], comment: &str) -> Vec<u8> {
        let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
        let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let at = bytes.len();
            let sizes = [long(content.len()), long(content.len())].concat();
            let common = [&[0; 4][..], &sizes, &short(name.len()), &short(0)].concat();
            bytes.extend([b"PK\x03\x04", &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &common].concat());
            bytes.extend([name.as_bytes(), content.as_bytes()].concat());
            directory.extend([FILE, &[20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0], &common].concat());
            directory.extend([&[0; 10][..], &long(at), name.as_bytes()].concat());
        }
        let (at, size, count) = (bytes.len(), directory.len(), short(files.len()));
        bytes.extend(directory);
        bytes.extend([END, &[0; 4], &count, &count, &long(size), &long(at)].concat());
        bytes.extend([&short(comment.len()), comment.as_bytes()].concat());
        bytes
    }

    #[test]
    fn files_are_found_and_directories_left_out() {
        let entry = |name: &str, size| Entry {
            name: name.to_owned(),
            size,
        };
        let archive = zip(
            &[("a/", ""), ("a/b.txt", "hello"), ("ü", "")],
            "PK\x05\x06 a comment",
        );
        assert_eq!(
            entries(&archive).unwrap(),
            [entry("a/b.txt", 5), entry("ü", 0)]
        );
        assert_eq!(entries(&zip(&[], "")).unwrap(), []);
    }

    #[test]
    fn what_is_no_archive_is_refused_without_a_panic() {
        let archive = zip(&[("a", "b"), ("c", "d")], "");
        for length in 0..archive.len() {
            assert_eq!(entries(&archive[..length]), None, "{length}");
        }
        for at in 0..archive.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut damaged = archive.clone();
                damaged[at] = byte;
                let _ = entries(&damaged);
            }
        }
    }
}
