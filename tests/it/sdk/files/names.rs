//! Names that servers tell.

use crate::server::Answer;

use super::{names, served};

#[tokio::test]
async fn a_hostile_name_stays_in_the_directory() -> anyhow::Result<()> {
    for (told, expected) in [
        ("filename=\"../../evil.sh\"", "evil.sh"),
        ("filename=\"..\\\\..\\\\evil.bat\"", "evil.bat"),
        ("filename=\"/etc/passwd\"", "passwd"),
        ("filename=\"..\"", "screenshot.png"),
        ("filename=\"\"", "screenshot.png"),
        ("filename=\".bashrc\"", "bashrc"),
        ("filename=\"NUL\"", "_NUL"),
        ("filename=\"a.txt:stream\"", "a.txt_stream"),
        ("filename*=UTF-8''..%2F..%2Fevil", "evil"),
        ("filename*=UTF-8''a%00b%0D%0Ac.txt", "abc.txt"),
        ("filename*=UTF-8''exe.%E2%80%AEgpj.sh", "exe.gpj.sh"),
        (
            "filename=\"x.txt\"; filename*=UTF-8''na%C3%AFve.txt",
            "naïve.txt",
        ),
        ("nothing", "screenshot.png"),
    ] {
        let disposition = format!("attachment; {told}");
        let headers = [("content-disposition", disposition.as_str())];
        let (_server, client) = served(Answer::new(200, &headers, "bytes")).await;
        let folder = tempfile::tempdir()?;
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner)?;
        let path = client
            .session("s")
            .screenshot()
            .await?
            .save_in(&inner)
            .await?;
        assert_eq!(path, inner.join(expected), "{told}");
        assert_eq!(names(&inner), [expected], "{told}");
        assert_eq!(names(folder.path()), ["inner"], "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_taken_gets_a_number() -> anyhow::Result<()> {
    let (_server, client) = served(Answer::new(200, &[], "bytes")).await;
    let folder = tempfile::tempdir()?;
    for _ in 0..3 {
        let picture = client.session("s").screenshot().await?;
        picture.save_in(folder.path()).await?;
    }
    let expected = ["screenshot (1).png", "screenshot (2).png", "screenshot.png"];
    assert_eq!(names(folder.path()), expected);
    Ok(())
}

#[tokio::test]
async fn a_long_name_is_cut() -> anyhow::Result<()> {
    let disposition = format!("attachment; filename=\"{}.pdf\"", "é".repeat(500));
    let headers = [("content-disposition", disposition.as_str())];
    let (_server, client) = served(Answer::new(200, &headers, "bytes")).await;
    let folder = tempfile::tempdir()?;
    client
        .session("s")
        .screenshot()
        .await?
        .save_in(folder.path())
        .await?;
    let name = names(folder.path()).remove(0);
    assert!(
        name.starts_with("éé") && name.ends_with("é.pdf") && name.len() <= 200,
        "{name}"
    );
    Ok(())
}
