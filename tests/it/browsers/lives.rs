//! Browsers come and go with their sessions.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anchorbrowser::Client;
use anchorbrowser_emulator::{Browser, Emulator};
use anyhow::Result;

use super::site::Site;
use super::{Bench, nothing_is_left, process_ids, processes, until};
use crate::sdk;

/// Where the child process of a test has its browsers.
const DIRECTORY: &str = "ANCHORBROWSER_TEST_BROWSERS";

browser_tests! {
    async fn a_browser_lives_as_long_as_its_session() -> Result<()> {
        let site = Site::page("<title>First</title>").await;
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().initial_url(site.url("/")).send().await?;
        assert_eq!(bench.directories(), 1);
        assert!(bench.processes() > 0);
        assert!(site.heads()[0].starts_with("GET / "));
        let pages = session.pages().await?;
        let urls: Vec<_> = pages.iter().map(|page| page.url.as_deref().unwrap()).collect();
        assert_eq!(urls, [site.url("/")]);
        session.end().await?;
        assert_eq!((bench.processes(), bench.directories()), (0, 0));
        Ok(())
    }

    async fn the_page_has_the_size_of_the_viewport() -> Result<()> {
        let bench = Bench::start().await?;
        let create = bench.client.sessions().create().viewport(800, 611);
        let session = create.send().await?;
        let png = session.screenshot().await?.bytes().await?;
        // Width and height stand in the first chunk of a PNG.
        let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!((side(16), side(20)), (800, 611));
        Ok(())
    }

    async fn nothing_is_left_when_the_emulator_stops() -> Result<()> {
        let bench = Bench::start().await?;
        let _session = bench.client.sessions().create().send().await?;
        // One that is just starting.
        bench.client.sessions().start().send().await?;
        until(|| bench.directories() == 2).await;
        bench.emulator.shutdown().await;
        assert_eq!((processes(bench.directory.path()), bench.directory.path().read_dir()?.count()), (0, 0));
        Ok(())
    }

    async fn nothing_is_left_of_an_emulator_that_is_dropped_or_reset() -> Result<()> {
        let Bench { emulator, client, directory } = Bench::start().await?;
        let session = client.sessions().create().send().await?;
        emulator.reset()?;
        nothing_is_left(directory.path()).await;
        assert!(session.goto("about:blank").await.unwrap_err().is_not_found());
        client.sessions().create().send().await?;
        drop(emulator);
        nothing_is_left(directory.path()).await;
        Ok(())
    }

    async fn nothing_is_left_of_an_emulator_that_is_killed() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--ignored", "--exact", "--nocapture", "browsers::lives::child"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).any(|line| line.contains("a session runs"));
        assert!(ready && processes(directory.path()) > 0);
        child.kill()?;
        child.wait()?;
        nothing_is_left(directory.path()).await;
        Ok(())
    }

    async fn an_owned_session_takes_its_browser_with_it_when_its_owner_panics() -> Result<()> {
        let bench = Bench::start().await?;
        let client = bench.client.clone();
        let panicked = tokio::spawn(async move {
            let session = client.sessions().create().send_owned().await.unwrap();
            session.goto("about:blank").await.unwrap();
            panic!("on purpose");
        });
        assert!(panicked.await.unwrap_err().is_panic());
        bench.client.sessions().drained().await;
        assert_eq!((bench.processes(), bench.directories()), (0, 0));
        Ok(())
    }

    async fn a_session_fails_whose_browser_is_killed() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let profile = format!("--user-data-dir={}", bench.directory.path().display());
        let killed = Command::new("pkill").args(["-KILL", "-f", "--", &profile]).status()?;
        assert!(killed.success());
        bench.nothing_is_left().await;
        assert_eq!(session.info().await?.status.as_deref(), Some("failed"));
        assert!(session.screenshot().await.is_err());
        Ok(())
    }

    async fn a_session_that_is_ended_while_it_starts_is_refused() -> Result<()> {
        let bench = Bench::start().await?;
        let sessions = bench.client.sessions();
        let end = async {
            until(|| bench.directories() == 1).await;
            sessions.end_all().await
        };
        let (refused, ended) = tokio::join!(sessions.create().send(), end);
        ended?;
        assert_eq!((bench.processes(), bench.directories()), (0, 0));
        let refused = refused.unwrap_err();
        assert_eq!(refused.status().map(|it| it.as_u16()), Some(500), "{refused}");
        Ok(())
    }

    async fn nothing_is_left_of_a_batch_that_is_cancelled_while_its_browsers_start() -> Result<()> {
        let bench = Bench::start().await?;
        let batch = bench.client.batch_sessions().create(32).send().await?;
        until(|| bench.directories() > 0).await;
        batch.cancel().await?;
        bench.nothing_is_left().await;
        let sessions = bench.emulator.state()?["sessions"].as_array().cloned().unwrap_or_default();
        assert!(sessions.iter().all(|it| it["status"] != "running"), "{sessions:?}");
        Ok(())
    }

    async fn a_browser_outlives_its_guard_and_no_session() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let guard = process_ids(bench.directory.path()).into_iter().find(|id| {
            std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.starts_with(b"sh\0"))
        });
        let killed = Command::new("kill").args(["-KILL", &guard.unwrap()]).status()?;
        assert!(killed.success());
        session.goto("about:blank").await?;
        session.end().await?;
        assert_eq!((bench.processes(), bench.directories()), (0, 0));
        Ok(())
    }

    async fn no_more_browsers_run_than_the_account_may_have() -> Result<()> {
        let bench = Bench::with(|it| it.account(|it| it.max_concurrent_browsers = Some(1))).await?;
        let session = bench.client.sessions().create().send().await?;
        let refused = bench.client.sessions().create().send().await.unwrap_err();
        assert_eq!(refused.status().map(|it| it.as_u16()), Some(429), "{refused}");
        assert_eq!(bench.directories(), 1);
        session.end().await?;
        bench.client.sessions().create().send().await?.end().await?;
        Ok(())
    }

    async fn sessions_that_are_asked_for_have_browsers_when_they_are_ready() -> Result<()> {
        let site = Site::page("<title>There</title>").await;
        let bench = Bench::start().await?;
        let pending = bench.client.sessions().start().send().await?;
        let session = pending.ready().await?;
        session.goto(site.url("/")).await?;
        let batch = bench.client.batch_sessions().create(2).send().await?;
        let mut sessions = batch.sessions();
        while let Some(session) = sessions.next().await {
            session?.goto(site.url("/")).await?;
        }
        let seen = site.heads().into_iter().filter(|head| head.starts_with("GET / "));
        assert_eq!((bench.directories(), seen.count()), (3, 3));
        bench.client.sessions().end_all().await?;
        assert_eq!((bench.processes(), bench.directories()), (0, 0));
        Ok(())
    }
}

/// An emulator whose browsers can't start, and a client of it.
async fn broken() -> Result<(Emulator, Client)> {
    let emulator = Emulator::builder()
        .browser(Browser::Path("false".into()))
        .start()
        .await?;
    let client = sdk::client(&emulator);
    Ok((emulator, client))
}

#[tokio::test]
async fn a_browser_that_does_not_start_fails_its_session() -> Result<()> {
    let (emulator, client) = broken().await?;
    let refused = client.sessions().create().send().await.unwrap_err();
    assert_eq!(refused.status().map(|it| it.as_u16()), Some(500));
    assert!(
        refused.to_string().contains("ended instead of starting"),
        "{refused}"
    );
    let pending = client.sessions().start().send().await?;
    let failed = pending.ready().await.unwrap_err();
    assert!(
        failed.to_string().contains("ended instead of starting"),
        "{failed}"
    );
    let report = client
        .batch_sessions()
        .create(2)
        .send()
        .await?
        .wait()
        .await?;
    assert_eq!((report.ready, report.failed), (0, 2));
    emulator.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn a_program_that_is_not_there_is_no_browser() {
    let builder = Emulator::builder().browser(Browser::Path("no/such/browser".into()));
    let refused = builder.start().await.unwrap_err().to_string();
    assert!(refused.contains("`no/such/browser`"), "{refused}");
}

/// What the child process of a test above does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of another test"]
async fn child() -> Result<()> {
    // Run by name only: without the variable there is nothing to do.
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return Ok(());
    };
    let emulator = Emulator::builder()
        .browser(Browser::Auto)
        .browser_directory(Path::new(&directory))
        .start()
        .await?;
    sdk::client(&emulator).sessions().create().send().await?;
    println!("a session runs");
    // Until it is killed.
    tokio::time::sleep(Duration::from_secs(600)).await;
    Ok(())
}
