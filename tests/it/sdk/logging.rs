//! `logging::init_from_env`, in processes of its own: it sets the subscriber of a whole process.

use std::process::{Command, Output};

use anchorbrowser_emulator::{Emulator, Fault};

const BASE_URL: &str = "SDK_LOGGING_BASE_URL";

/// What a child does: its exit says whether the lines are on.
#[test]
#[ignore = "runs as a child of the tests here"]
fn child() -> anyhow::Result<()> {
    let base_url = std::env::var(BASE_URL)?;
    println!("installed: {}", anchorbrowser::logging::init_from_env()?);
    println!("again: {:?}", anchorbrowser::logging::init_from_env());
    let client = anchorbrowser::Client::builder()
        .base_url(base_url)
        .api_key(super::KEY)
        .build()?;
    // Its session cannot be ended in the background, of which a line tells.
    drop(client.sessions().create().send_owned().blocking()?);
    Ok(())
}

/// The output of a child that ends a session in vain, with this level.
async fn run(level: Option<&str>) -> anyhow::Result<Output> {
    let emulator = Emulator::start().await?;
    emulator.fault(Fault::status(400).on("delete_session").always())?;
    let mut child = Command::new(std::env::current_exe()?);
    child
        .args(["--ignored", "--exact", "--nocapture", "sdk::logging::child"])
        .env(BASE_URL, emulator.base_url())
        .env_remove("ANCHORBROWSER_LOG");
    if let Some(level) = level {
        child.env("ANCHORBROWSER_LOG", level);
    }
    Ok(tokio::task::spawn_blocking(move || child.output()).await??)
}

#[tokio::test]
async fn lines_of_the_level_go_to_standard_error() -> anyhow::Result<()> {
    for (level, installed, warned) in [
        (None, false, false),
        (Some(""), false, false),
        (Some("off"), false, false),
        (Some("error"), true, false),
        (Some("warn"), true, true),
        (Some("TRACE"), true, true),
    ] {
        let output = run(level).await?;
        let (out, lines) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{level:?}: {out} {lines}");
        assert!(
            out.contains(&format!("installed: {installed}")),
            "{level:?}: {out}"
        );
        let told = lines.contains("a session could not be ended");
        assert_eq!(told, warned, "{level:?}: {lines}");
        assert!(!lines.contains(super::KEY), "{lines}");
        // A second subscriber is refused; without a first one, nothing is.
        assert_eq!(
            out.contains("has a tracing subscriber already"),
            installed,
            "{out}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_word_that_is_no_level_is_refused() -> anyhow::Result<()> {
    let output = run(Some("canary")).await?;
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert!(!output.status.success());
    assert!(
        shown.contains("ANCHORBROWSER_LOG must be `off`, `error`"),
        "{shown}"
    );
    assert!(!shown.contains("canary"), "{shown}");
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
