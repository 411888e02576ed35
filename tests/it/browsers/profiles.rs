//! Profiles keep what sites store in a browser.

use anchorbrowser::sessions::SessionOptions;
use anyhow::Result;

use super::site::Site;
use super::{Bench, until};

/// Stores `value` in all ways, and tells the site of it.
fn storing(value: &str) -> String {
    format!(
        "<script>
           document.cookie = 'session={value}';
           document.cookie = 'lasting={value}; max-age=9999; SameSite=Strict';
           localStorage.setItem('kept', '{value}');
           const open = indexedDB.open('base', 1);
           open.onupgradeneeded = () => open.result.createObjectStore('store');
           open.onsuccess = () => {{
             const change = open.result.transaction('store', 'readwrite');
             change.objectStore('store').put('{value}', 'kept');
             change.oncomplete = () => fetch('/stored');
           }};
         </script>"
    )
}

/// Tells the site what is stored.
const SHOWING: &str = "<script>
    const open = indexedDB.open('base', 1);
    open.onupgradeneeded = () => open.result.createObjectStore('store');
    open.onsuccess = () => {
      const get = open.result.transaction('store').objectStore('store').get('kept');
      const shown = () => [document.cookie.split('; ').sort(), localStorage.getItem('kept'), get.result].join();
      get.onsuccess = () => fetch('/shown?' + shown());
    };
  </script>";

async fn site() -> Site {
    let html = "content-type: text/html";
    let (first, second) = (storing("first"), storing("second"));
    Site::new(&[
        ("/first", html, first.as_bytes()),
        ("/second", html, second.as_bytes()),
        ("/show", html, SHOWING.as_bytes()),
        ("/stored", html, b""),
        ("/shown", html, b""),
    ])
    .await
}

/// How many requests begin like this.
fn count(site: &Site, start: &str) -> usize {
    let heads = site.heads();
    heads.iter().filter(|head| head.starts_with(start)).count()
}

/// Runs a session to its end in which a page stores something.
async fn store(bench: &Bench, site: &Site, path: &str, options: SessionOptions) -> Result<()> {
    let before = count(site, "GET /stored");
    let options = options.initial_url(site.url(path));
    let session = bench.session(options).await?;
    until(|| count(site, "GET /stored") > before).await;
    Ok(session.end().await?)
}

/// What a session with these options finds stored.
async fn shown(bench: &Bench, site: &Site, options: SessionOptions) -> Result<String> {
    const START: &str = "GET /shown?";
    let before = count(site, START);
    let options = options.initial_url(site.url("/show"));
    let session = bench.session(options).await?;
    until(|| count(site, START) > before).await;
    session.end().await?;
    let heads = site.heads();
    let last = heads
        .iter()
        .filter_map(|head| head.strip_prefix(START))
        .next_back();
    let shown = last.and_then(|rest| rest.split(' ').next());
    Ok(shown.unwrap_or_default().to_owned())
}

const NOTHING: &str = ",,";
const FIRST: &str = "lasting=first,session=first,first,first";

async fn status(bench: &Bench, name: &str) -> Result<Option<String>> {
    Ok(bench.client.profiles().get(name).await?.status)
}

browser_tests! {
    async fn a_profile_is_kept_and_copied_and_deleted() -> Result<()> {
        let (bench, site) = (Bench::start().await?, site().await);
        let options = SessionOptions::new;
        store(&bench, &site, "/first", options().persist_profile("shop/ü")).await?;
        assert_eq!(status(&bench, "shop/ü").await?.as_deref(), Some("ready"));
        assert_eq!(shown(&bench, &site, options()).await?, NOTHING);
        assert_eq!(shown(&bench, &site, options().profile("shop/ü")).await?, FIRST);
        store(&bench, &site, "/second", options().profile("shop/ü")).await?;
        assert_eq!(shown(&bench, &site, options().profile("shop/ü")).await?, FIRST);
        bench.client.profiles().delete("shop/ü").await?;
        bench.client.profiles().create("shop/ü").send().await?;
        assert_eq!(shown(&bench, &site, options().profile("shop/ü")).await?, NOTHING);
        bench.nothing_is_left().await;
        let violations = bench.emulator.exchanges();
        assert!(violations.iter().all(|exchange| exchange.answer_violations.is_empty()));
        Ok(())
    }

    async fn a_session_waits_for_the_profile_of_one_that_ends() -> Result<()> {
        let (bench, site) = (Bench::start().await?, site().await);
        let options = || SessionOptions::new().initial_url(site.url("/first"));
        let first = bench.client.sessions().create().options(options()).send().await?;
        bench.client.profiles().create("made").session(first.id()).send().await?;
        until(|| count(&site, "GET /stored") == 1).await;
        assert_eq!(status(&bench, "made").await?.as_deref(), Some("pending"));
        let second = async {
            // Not before the first has begun to end.
            bench.emulator.wait_for("delete_session", 1).await?;
            shown(&bench, &site, SessionOptions::new().profile("made")).await
        };
        let (ended, found) = tokio::join!(first.end(), second);
        ended?;
        assert_eq!((found?.as_str(), status(&bench, "made").await?.as_deref()), (FIRST, Some("ready")));
        Ok(())
    }

    async fn a_profile_is_there_after_a_restart_and_one_that_is_broken_is_empty() -> Result<()> {
        let (state, site) = (tempfile::tempdir()?, site().await);
        let file = state.path().join("state");
        let options = SessionOptions::new;
        let bench = Bench::with(|builder| builder.state(&file)).await?;
        store(&bench, &site, "/first", options().persist_profile("kept")).await?;
        // It runs when the emulator stops: then its profile keeps what it had.
        let lost = options().persist_profile("kept").initial_url(site.url("/second"));
        let _lost = bench.client.sessions().create().options(lost).send().await?;
        bench.emulator.shutdown().await;

        let bench = Bench::with(|builder| builder.state(&file)).await?;
        assert_eq!(status(&bench, "kept").await?.as_deref(), Some("ready"));
        assert_eq!(shown(&bench, &site, options().profile("kept")).await?, FIRST);
        bench.emulator.shutdown().await;

        let mut bytes = std::fs::read(&file)?;
        let mark = b"anchorbrowser profile 1\n";
        let at = bytes.windows(mark.len()).position(|found| found == mark).unwrap();
        bytes[at + mark.len()] ^= 1;
        std::fs::write(&file, bytes)?;
        let bench = Bench::with(|builder| builder.state(&file)).await?;
        assert_eq!(shown(&bench, &site, options().profile("kept")).await?, NOTHING);
        Ok(())
    }

    async fn a_profile_for_which_there_is_no_room_keeps_what_it_had() -> Result<()> {
        let (bench, site) = (Bench::with(|builder| builder.limits(|limits| limits.stored_bytes = 64)).await?, site().await);
        let options = SessionOptions::new;
        store(&bench, &site, "/first", options().persist_profile("large")).await?;
        assert_eq!(status(&bench, "large").await?.as_deref(), Some("ready"));
        assert_eq!(shown(&bench, &site, options().profile("large")).await?, NOTHING);
        Ok(())
    }
}
