//! Calls without an async runtime of the caller's.

use std::sync::mpsc;

use anchorbrowser::ErrorKind;
use anchorbrowser_emulator::{Emulator, Fault};

/// An emulator that runs on a thread of its own, until this is dropped.
struct Running {
    emulator: Emulator,
    _runtime: tokio::runtime::Runtime,
}

impl Running {
    fn start() -> anyhow::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build()?;
        let emulator = runtime.block_on(Emulator::start())?;
        Ok(Self {
            emulator,
            _runtime: runtime,
        })
    }
}

#[test]
fn a_session_is_created_listed_and_ended() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    let session = client.sessions().create().tag("x").send().blocking()?;
    for _ in 0..14 {
        client.sessions().create().tag("x").send().blocking()?;
    }
    let page = client.sessions().list().tag("x").send().blocking()?;
    assert_eq!((page.items.len(), page.has_next()), (10, true));
    let next = page.next_page().map(|call| call.blocking()).transpose()?;
    assert_eq!(next.map(|page| page.items.len()), Some(5));

    let sessions = client.sessions().list().tag("x").stream().blocking();
    let ids = sessions
        .map(|session| Ok(session?.id))
        .collect::<anyhow::Result<Vec<_>>>()?;
    assert_eq!(ids.len(), 15);
    assert!(ids.contains(session.id()));
    session.end().blocking()?;
    assert_eq!(running.emulator.count("delete_session")?, 1);
    Ok(())
}

#[test]
fn an_owned_session_is_ended_by_a_call_or_by_its_drop() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    let create = || client.sessions().create().send_owned().blocking();
    create()?.end().blocking()?;
    assert_eq!(running.emulator.count("delete_session")?, 1);
    std::thread::scope(|scope| scope.spawn(|| create().map(drop)).join().unwrap())?;
    assert_eq!(running.emulator.count("delete_session")?, 2);
    Ok(())
}

#[test]
fn steps_are_taken_one_by_one_until_the_session_ends() -> anyhow::Result<()> {
    let running = Running::start()?;
    let session = super::client(&running.emulator).sessions().create();
    let session = session.send().blocking()?;
    let mut steps = session.agent().steps().blocking()?.blocking();
    for number in [1, 2] {
        let frame = serde_json::json!({ "step": number });
        running
            .emulator
            .push_step(session.id().as_str(), frame.to_string())?;
        let step = steps.next().transpose()?;
        assert_eq!(step.and_then(|step| step.number), Some(number));
    }
    session.end().blocking()?;
    assert!(steps.next().is_none());
    Ok(())
}

#[test]
fn only_pages_that_are_needed_are_fetched() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    for _ in 0..15 {
        client.sessions().create().send().blocking()?;
    }
    let stream = client.sessions().list().stream();
    let mut sessions = stream.blocking();
    assert_eq!(running.emulator.count("list_sessions")?, 0);
    assert_eq!(sessions.by_ref().take(10).count(), 10);
    assert_eq!(running.emulator.count("list_sessions")?, 1);
    drop(sessions);
    assert_eq!(running.emulator.count("list_sessions")?, 1);
    Ok(())
}

#[test]
fn an_iterator_ends_after_an_error() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    for _ in 0..15 {
        client.sessions().create().send().blocking()?;
    }
    let fault = Fault::status(400).on("list_sessions").skip(1);
    running.emulator.fault(fault)?;
    let sessions: Vec<_> = client.sessions().list().stream().blocking().collect();
    assert_eq!(sessions.len(), 11);
    assert!(sessions[..10].iter().all(Result::is_ok));
    let error = sessions[10].as_ref().unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    assert_eq!(running.emulator.count("list_sessions")?, 2);
    Ok(())
}

#[test]
fn an_error_passes_through() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    let missing = client.webhooks().get("wh_none").blocking().unwrap_err();
    assert!(missing.is_not_found());
    assert_eq!(missing.operation(), Some("get_webhook"));
    let refused = client
        .webhooks()
        .create("http://a.example", ["task.failed"]);
    let refused = refused.send().blocking().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    Ok(())
}

#[test]
fn many_threads_call_at_once() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    let ids = std::thread::scope(|scope| {
        let create = || {
            let session = client.sessions().create().tag("x").send().blocking()?;
            let own = client.sessions().list().stream().blocking();
            let found = own
                .filter_map(Result::ok)
                .any(|other| other.id == *session.id());
            anyhow::Ok((session.id().clone(), found))
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(create)).collect();
        let ends = threads.into_iter().map(|thread| thread.join().unwrap());
        ends.collect::<anyhow::Result<Vec<_>>>()
    })?;
    assert!(ids.iter().all(|(_, found)| *found));
    let unique: std::collections::HashSet<_> = ids.iter().map(|(id, _)| id).collect();
    assert_eq!(unique.len(), 16);
    Ok(())
}

/// It blocks the thread of the runtime, and works.
#[test]
fn a_blocking_call_in_a_runtime_does_not_panic() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    let current = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let many = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    for runtime in [current, many] {
        runtime.block_on(async {
            client.sessions().create().send().blocking()?;
            let sessions = client.sessions().list().stream().blocking();
            anyhow::ensure!(sessions.filter(Result::is_ok).count() > 0);
            anyhow::Ok(())
        })?;
    }
    Ok(())
}

/// A future that a blocking call runs is on the background thread, which must not wait for itself.
#[test]
fn a_blocking_call_within_another_is_refused() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    let (sender, receiver) = mpsc::channel();
    let inner = client.clone();
    let cancel = async move {
        let one = inner.webhooks().list().send().blocking().err();
        let next = inner.webhooks().list().stream().blocking().next();
        for error in [one, next.and_then(Result::err)] {
            let _ = sender.send(error.map(|error| error.kind()));
        }
        std::future::pending().await
    };
    let call = client.webhooks().list().send().cancelled_by(cancel);
    assert_eq!(call.blocking()?.items.len(), 0);
    let kinds: Vec<_> = receiver.iter().collect();
    assert_eq!(kinds, [Some(ErrorKind::Config); 2]);
    Ok(())
}

#[test]
fn a_blocking_call_can_be_cancelled() -> anyhow::Result<()> {
    let running = Running::start()?;
    let client = super::client(&running.emulator);
    let call = client.webhooks().list().send();
    let error = call
        .cancelled_by(std::future::ready(()))
        .blocking()
        .unwrap_err();
    assert!(error.is_cancelled());
    Ok(())
}
