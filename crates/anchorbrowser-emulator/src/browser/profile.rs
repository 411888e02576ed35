//! What a profile keeps of a browser: its cookies, and what sites have stored in it.
//!
//! Cookies are read and set by the protocol, because the browser itself forgets those without an end when it closes. What
//! sites store is copied as files, before the browser starts and after it has closed. Caches, history, passwords and
//! settings are left out.

mod archive;

use std::path::Path;
use std::{fs, io};

use bytes::Bytes;
use serde_json::{Value, json};

use super::cdp::{Cdp, CdpError};
use archive::{Archive, File};

/// Bytes of a profile. One that has more is not stored.
pub(super) const LARGEST: u64 = 256 << 20;

/// The directory of the browser's own profile, below the directory that it is given.
const PLACE: &str = "Default";

/// What sites store, in that directory.
const KEPT: [&str; 5] = [
    "File System",
    "IndexedDB",
    "Local Storage",
    "Service Worker",
    "WebStorage",
];

/// The cookies of a browser.
pub(super) async fn cookies(cdp: &Cdp) -> Result<Value, CdpError> {
    let mut all = cdp.call(None, "Storage.getCookies", json!({})).await?;
    Ok(all["cookies"].take())
}

/// Gives cookies to a browser. Those that it does not take are left out.
pub(super) async fn set_cookies(cdp: &Cdp, cookies: &Value) -> Result<(), CdpError> {
    let cookies = cookies.as_array().into_iter().flatten();
    let cookies: Vec<Value> = cookies.filter_map(settable).collect();
    if cookies.is_empty() {
        return Ok(());
    }
    let set = |cookies: &[Value]| {
        let cookies = json!({ "cookies": cookies });
        async move { cdp.call(None, "Storage.setCookies", cookies).await }
    };
    // It takes all or none.
    if !matches!(set(&cookies).await, Err(CdpError::Refused { .. })) {
        return Ok(());
    }
    for cookie in &cookies {
        match set(std::slice::from_ref(cookie)).await {
            Err(CdpError::Refused { .. }) => {
                tracing::warn!("the browser does not take a cookie of the profile");
            }
            done => drop(done?),
        }
    }
    Ok(())
}

/// A cookie as it is set, from one as it is got.
fn settable(cookie: &Value) -> Option<Value> {
    const SAME: [&str; 9] = [
        "name",
        "value",
        "path",
        "secure",
        "httpOnly",
        "sameSite",
        "priority",
        "sourceScheme",
        "partitionKey",
    ];
    let mut set = json!({});
    for name in SAME {
        if let Some(value) = cookie.get(name).filter(|value| !value.is_null()) {
            set[name] = value.clone();
        }
    }
    if cookie["session"] != true {
        set["expires"] = cookie["expires"].clone();
    }
    let domain = cookie["domain"].as_str()?;
    match domain.starts_with('.') {
        true => set["domain"] = domain.into(),
        // That of one host alone is known by a URL of it.
        false => {
            let secure = cookie["secure"] == true || cookie["sourceScheme"] == "Secure";
            let scheme = if secure { "https" } else { "http" };
            set["url"] = format!("{scheme}://{domain}/").into();
        }
    }
    Some(set)
}

/// What a browser that has closed leaves in `directory`, and its cookies. An error says why it can't be stored.
pub(super) fn pack(directory: &Path, cookies: Value) -> Result<Bytes, String> {
    let mut archive = Archive {
        cookies,
        files: Vec::new(),
    };
    let mut room = LARGEST;
    let root = directory.join(PLACE);
    for kept in KEPT {
        add(&root, kept, &mut archive.files, &mut room)
            .map_err(|error| format!("`{kept}` can't be read: {error}"))?;
    }
    Ok(archive.bytes())
}

/// Adds a file, or the files below a directory, by the path below `root`.
fn add(root: &Path, name: &str, files: &mut Vec<File>, room: &mut u64) -> io::Result<()> {
    let path = root.join(name);
    let about = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        about => about?,
    };
    if about.is_file() {
        let left = room.checked_sub(about.len());
        *room = left
            .ok_or_else(|| io::Error::other(format!("together it is more than {LARGEST} bytes")))?;
        let bytes = fs::read(&path)?;
        files.push(File {
            path: name.to_owned(),
            bytes: bytes.into(),
        });
    } else if about.is_dir() {
        for entry in fs::read_dir(&path)? {
            let entry = entry?.file_name();
            // The browser's own names are ASCII.
            if let Some(entry) = entry.to_str() {
                add(root, &format!("{name}/{entry}"), files, room)?;
            }
        }
    }
    Ok(())
}

/// Puts an archive where a browser that is to be started finds it, and gives its cookies. One that is broken counts as
/// empty.
pub(super) fn unpack(directory: &Path, bytes: &Bytes) -> io::Result<Value> {
    let archive = match Archive::read(bytes, &KEPT) {
        Ok(archive) => archive,
        Err(why) => {
            tracing::warn!("a profile is broken, and counts as empty: {why}");
            return Ok(Value::Null);
        }
    };
    let root = directory.join(PLACE);
    for file in archive.files {
        let path = root.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &file.bytes)?;
    }
    Ok(archive.cookies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sites_store_comes_back_and_caches_do_not() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = [
            ("Local Storage/leveldb/000003.log", true),
            ("IndexedDB/http_a.test_0.indexeddb.leveldb/CURRENT", true),
            ("Service Worker/Database/CURRENT", true),
            ("GPUCache/data_0", false),
            ("Login Data", false),
        ];
        for (path, _) in files {
            let path = from.path().join(PLACE).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"content").unwrap();
        }
        let cookies = json!([{ "name": "a" }]);
        let archive = pack(from.path(), cookies.clone()).unwrap();
        assert_eq!(unpack(to.path(), &archive).unwrap(), cookies);
        for (path, kept) in files {
            let found = fs::read(to.path().join(PLACE).join(path)).ok();
            assert_eq!(found, kept.then(|| b"content".to_vec()), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let from = tempfile::tempdir().unwrap();
        let place = from.path().join(PLACE);
        fs::create_dir_all(place.join("IndexedDB")).unwrap();
        fs::write(from.path().join("secret"), b"secret").unwrap();
        std::os::unix::fs::symlink("../../secret", place.join("IndexedDB/link")).unwrap();
        let archive = pack(from.path(), Value::Null).unwrap();
        assert!(Archive::read(&archive, &KEPT).unwrap().files.is_empty());
    }

    #[test]
    fn a_cookie_of_one_host_stays_one() {
        let got = json!({ "name": "a", "value": "b", "domain": "a.test", "path": "/p", "expires": -1, "size": 2,
                          "httpOnly": true, "secure": true, "session": true, "priority": "Medium",
                          "sourceScheme": "Secure", "sourcePort": 443 });
        let set = settable(&got).unwrap();
        assert_eq!(set["url"], "https://a.test/");
        assert!(set.get("domain").is_none() && set.get("expires").is_none());
        let wide =
            settable(&json!({ "domain": ".a.test", "session": false, "expires": 7.5 })).unwrap();
        assert_eq!(wide, json!({ "domain": ".a.test", "expires": 7.5 }));
    }
}
