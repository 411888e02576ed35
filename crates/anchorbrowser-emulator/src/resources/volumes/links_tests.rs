use std::sync::Arc;

use super::*;
use crate::config::Config;
use crate::document::Document;
use crate::resources::volumes::Volume;

fn world() -> World {
    let document = Document::embedded();
    let mut world = World::new(
        Arc::new(Config::default()),
        document,
        "http://h".to_owned(),
        Time::START,
    );
    crate::resources::volumes::ready(&mut world, "v");
    world
}

fn put(content_type: &str, size: Option<u64>) -> Option<Put> {
    Some(Put {
        content_type: content_type.to_owned(),
        size,
        done: false,
    })
}

fn link(world: &mut World, path: &str, put: Option<Put>) -> String {
    let url = make(world, "v", path, put).unwrap();
    url.strip_prefix("http://h/__emulator/files/")
        .unwrap()
        .to_owned()
}

fn refused<T: fmt::Debug>(result: Result<T, Refusal>, id: &str) -> u16 {
    let refusal = result.unwrap_err();
    assert!(!refusal.message.contains(id), "{}", refusal.message);
    refusal.status
}

#[test]
fn bytes_go_in_and_come_out_the_same() {
    let mut world = world();
    let bytes = Bytes::from((0..=255).cycle().take(100_000).collect::<Vec<u8>>());
    let id = link(&mut world, "a/b.bin", put("text/x", Some(100_000)));
    put_link(&mut world, &id, Some("Text/X"), bytes.clone()).unwrap();
    assert_eq!(
        refused(
            put_link(&mut world, &id, Some("text/x"), bytes.clone()),
            &id
        ),
        403,
        "good once"
    );
    assert_eq!(
        refused(fetch_link(&mut world, &id), &id),
        403,
        "another method"
    );
    let id = link(&mut world, "a/b.bin", None);
    for _ in 0..2 {
        let (content_type, fetched) = fetch_link(&mut world, &id).unwrap();
        assert_eq!(
            (content_type.as_str(), fetched.as_ptr()),
            ("text/x", bytes.as_ptr()),
            "not copied"
        );
        assert_eq!(fetched, bytes);
    }
    assert_eq!(
        refused(put_link(&mut world, &id, Some("text/x"), bytes), &id),
        403
    );
    assert!(
        !format!("{:?}", world.tables.links.get(&id)).contains(&id),
        "a link is a secret"
    );
}

#[test]
fn a_link_wants_what_was_agreed() {
    let mut world = world();
    let id = link(&mut world, "a", put("text/csv", Some(2)));
    for (content_type, bytes, status) in [
        (None, "ab", 403),
        (Some("text/plain"), "ab", 403),
        (Some("text/csv"), "abc", 400),
    ] {
        assert_eq!(
            refused(put_link(&mut world, &id, content_type, bytes.into()), &id),
            status
        );
    }
    put_link(&mut world, &id, Some("text/csv"), "ab".into()).unwrap();
    assert_eq!(refused(fetch_link(&mut world, "made-up"), "made-up"), 404);
    let below = link(&mut world, "a/b", put("text/csv", None));
    let result = put_link(&mut world, &below, Some("text/csv"), "ab".into());
    assert_eq!(refused(result, &below), 409, "`a` is a file");
}

#[test]
fn links_end() {
    let mut world = world();
    files::store(&mut world, "v", "a", "text/plain", "x".into(), Time::START).unwrap();
    let (get, put) = (
        link(&mut world, "a", None),
        link(&mut world, "b", put("text/plain", None)),
    );
    world.settle(Time::START.after(LIFE).after(Duration::from_millis(1)));
    assert_eq!(refused(fetch_link(&mut world, &get), &get), 403);
    assert_eq!(
        refused(
            put_link(&mut world, &put, Some("text/plain"), "x".into()),
            &put
        ),
        403
    );
    world.settle(Time::START.after(LIFE + REMEMBERED));
    assert_eq!(refused(fetch_link(&mut world, &get), &get), 404);
    assert_eq!(world.tables.links.len(), 0);
}

#[test]
fn a_link_goes_with_its_file_and_its_volume() {
    let mut world = world();
    files::store(&mut world, "v", "a", "text/plain", "x".into(), Time::START).unwrap();
    let id = link(&mut world, "a", None);
    world.tables.volumes.edit("v").unwrap().state = State::Deleting;
    Volume::step(&mut world, "v");
    assert_eq!(world.blobs.size(), 0, "its bytes are freed");
    assert_eq!(refused(fetch_link(&mut world, &id), &id), 404);
}
