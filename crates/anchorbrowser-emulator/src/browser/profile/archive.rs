//! Files and cookies in one piece.
//!
//! The form is our own, because it has to hold nothing but names and bytes: no links, owners or times, so that there is
//! nothing of the kind to guard against. A digest at the head shows damage.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What it begins with; the number goes up when the form changes.
const MARK: &[u8] = b"anchorbrowser profile 1\n";

const DIGEST: usize = 32;

/// What a profile is stored as.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) cookies: Value,
    pub(super) files: Vec<File>,
}

/// A file, by its path with slashes.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) bytes: Bytes,
}

impl Archive {
    /// The mark, the digest of the rest, the cookies as JSON, and each file: path and content, each after its length.
    pub(super) fn bytes(&self) -> Bytes {
        let mut bytes = BytesMut::from(MARK);
        bytes.put_bytes(0, DIGEST);
        put(&mut bytes, self.cookies.to_string().as_bytes());
        for file in &self.files {
            put(&mut bytes, file.path.as_bytes());
            put(&mut bytes, &file.bytes);
        }
        let start = MARK.len() + DIGEST;
        let digest = Sha256::digest(&bytes[start..]);
        bytes[MARK.len()..start].copy_from_slice(&digest);
        bytes.freeze()
    }

    /// Reads it again. All files must be in one of the directories `allowed`.
    pub(super) fn read(bytes: &Bytes, allowed: &[&str]) -> Result<Self, &'static str> {
        let rest = bytes.strip_prefix(MARK).ok_or("it has another form")?;
        let (digest, rest) = rest.split_at_checked(DIGEST).ok_or("it is cut off")?;
        if Sha256::digest(rest).as_slice() != digest {
            return Err("its digest does not fit");
        }
        let mut rest = bytes.slice_ref(rest);
        let cookies = take(&mut rest)?;
        let cookies = serde_json::from_slice(&cookies).map_err(|_| "its cookies can't be read")?;
        let mut files = Vec::new();
        while !rest.is_empty() {
            let path = take(&mut rest)?;
            let path = std::str::from_utf8(&path).map_err(|_| "a path is no text")?;
            if !is_safe(path, allowed) {
                return Err("a path leads elsewhere");
            }
            files.push(File {
                path: path.to_owned(),
                bytes: take(&mut rest)?,
            });
        }
        Ok(Self { cookies, files })
    }
}

fn put(to: &mut BytesMut, piece: &[u8]) {
    to.put_u64(piece.len() as u64);
    to.put_slice(piece);
}

fn take(from: &mut Bytes) -> Result<Bytes, &'static str> {
    const CUT: &str = "it is cut off";
    let length = from.try_get_u64().map_err(|_| CUT)?;
    let length = usize::try_from(length).map_err(|_| CUT)?;
    match length <= from.len() {
        true => Ok(from.split_to(length)),
        false => Err(CUT),
    }
}

/// Whether a path stays below the directory `allowed` that it begins with.
fn is_safe(path: &str, allowed: &[&str]) -> bool {
    let mut names = path.split('/');
    let allowed = names.next().is_some_and(|first| allowed.contains(&first));
    let is_name =
        |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\\', ':', '\0']);
    allowed && names.all(is_name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn archive(path: &str) -> Bytes {
        let file = File {
            path: path.to_owned(),
            bytes: Bytes::from_static(b"content"),
        };
        let archive = Archive {
            cookies: json!([]),
            files: vec![file],
        };
        archive.bytes()
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        for path in [
            "kept/../../x",
            "../kept/x",
            "/kept/x",
            "kept//x",
            "kept/./x",
            "kept/..",
            "kept\\..\\x",
            "kept/c:x",
            "other/x",
            "",
        ] {
            assert!(Archive::read(&archive(path), &["kept"]).is_err(), "{path}");
        }
        let read = Archive::read(&archive("kept/a b/x"), &["kept"]).unwrap();
        assert_eq!(
            (read.files.len(), &read.files[0].bytes[..]),
            (1, &b"content"[..])
        );
    }

    #[test]
    fn damage_anywhere_is_noticed() {
        let whole = archive("kept/x");
        for at in 0..whole.len() {
            let mut damaged = whole.to_vec();
            damaged[at] ^= 1;
            assert!(Archive::read(&damaged.into(), &["kept"]).is_err(), "{at}");
            assert!(
                Archive::read(&whole.slice(..at), &["kept"]).is_err(),
                "{at}"
            );
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let mut rest = Bytes::from_static(&[0xff; 16]);
        assert!(take(&mut rest).is_err());
    }
}
