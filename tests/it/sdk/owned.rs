//! Sessions that end themselves.

use std::cell::RefCell;
use std::process::Command;
use std::time::{Duration, Instant};

use anchorbrowser::sessions::OwnedSession;
use anchorbrowser::{Client, Error, ErrorKind, Session};
use anchorbrowser_emulator::{Emulator, Fault};
use tokio::task::JoinSet;

use super::client;
use crate::server::{Answer, Server};

/// The emulator of a test, and its client.
async fn start() -> anyhow::Result<(Emulator, Client)> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    Ok((emulator, client))
}

/// How many sessions run.
fn alive(emulator: &Emulator) -> anyhow::Result<usize> {
    let state = emulator.state()?;
    let sessions = state["sessions"].as_array().unwrap();
    let running = sessions.iter().filter(|one| one["status"] == "running");
    Ok(running.count())
}

/// `created` sessions have been, and none is alive when the background is done.
async fn none_is_left(emulator: &Emulator, client: &Client, created: usize) -> anyhow::Result<()> {
    client.sessions().drained().await;
    assert_eq!(emulator.count("create_session")?, created);
    assert_eq!(alive(emulator)?, 0);
    Ok(())
}

#[tokio::test]
async fn a_session_ends_with_its_scope() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let create = || client.sessions().create();
    let id = create()
        .scope(async |session: &Session| {
            assert_eq!(alive(&emulator).unwrap(), 1);
            Ok::<_, Error>(session.id().clone())
        })
        .await?;
    // `scope` itself has waited.
    assert_eq!(alive(&emulator)?, 0);
    assert_eq!(
        client.session(id).info().await?.status.unwrap(),
        "completed"
    );

    let failed = create().scope(async |_| anyhow::Result::<()>::Err(anyhow::anyhow!("mine")));
    assert_eq!(failed.await.unwrap_err().to_string(), "mine");
    assert_eq!(alive(&emulator)?, 0);

    let create = create();
    let panicked = tokio::spawn(create.scope(async |_| -> Result<(), Error> { panic!("mine") }));
    assert!(panicked.await.unwrap_err().is_panic());
    none_is_left(&emulator, &client, 3).await
}

#[tokio::test]
async fn a_session_ends_with_its_guard() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let begun = Instant::now();
    for created in 1..=3 {
        let session = client.sessions().create().send_owned().await?;
        drop(session);
        emulator.wait_for("delete_session", created).await?;
    }
    none_is_left(&emulator, &client, 3).await?;
    // Dropping waits for nothing, the second time on the same thread as the first.
    assert!(begun.elapsed() < Duration::from_secs(10));
    Ok(())
}

#[tokio::test]
async fn sessions_end_with_tasks_that_panic_or_are_aborted() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let owned = |client: Client| async move { client.sessions().create().send_owned().await };
    let create = owned(client.clone());
    let panics = tokio::spawn(async move {
        let _session = create.await.unwrap();
        panic!("mine");
    });
    assert!(panics.await.unwrap_err().is_panic());

    let (create, (sender, created)) = (owned(client.clone()), tokio::sync::oneshot::channel());
    let aborted = tokio::spawn(async move {
        let _session = create.await.unwrap();
        sender.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    created.await?;
    aborted.abort();
    assert!(aborted.await.unwrap_err().is_cancelled());
    none_is_left(&emulator, &client, 2).await
}

/// Sessions are created although nobody waits for them any longer, and are then ended.
#[tokio::test]
async fn a_creation_that_is_given_up_leaves_nothing() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let minute = Duration::from_secs(60);
    emulator.fault(Fault::delay(minute).on("create_session").times(2))?;
    let create = || client.sessions().create().send_owned();

    let aborted = tokio::spawn(create().with_meta());
    emulator.wait_for("create_session", 1).await?;
    aborted.abort();
    let requested = async { emulator.wait_for("create_session", 2).await.map(drop) };
    tokio::select! {
        created = create().with_meta() => panic!("{created:?}"),
        requested = requested => requested?,
    }
    assert_eq!(emulator.count("delete_session")?, 0);
    emulator.advance(minute)?;
    none_is_left(&emulator, &client, 2).await?;
    assert_eq!(emulator.count("delete_session")?, 2);
    Ok(())
}

#[tokio::test]
async fn the_call_of_an_end_ends_the_session_even_if_it_is_dropped() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let session = client.sessions().create().send_owned().await?;
    assert_eq!(client.sessions().get(&session).await?.id, *session.id());
    let answer = session.end().with_meta().await?;
    assert_eq!(answer.meta.operation(), "delete_session");
    client.sessions().drained().await;
    assert_eq!(emulator.count("delete_session")?, 1);

    let session = client.sessions().create().send_owned().await?;
    drop(session.end());
    none_is_left(&emulator, &client, 2).await
}

#[tokio::test]
async fn nothing_is_created_before_the_call_is_awaited() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    drop(client.sessions().create().send_owned());
    none_is_left(&emulator, &client, 0).await
}

#[tokio::test]
async fn kept_and_attached_sessions_live_on() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let kept = client.sessions().create().send_owned().await?.keep();
    drop(client.session(kept.id()));
    drop(client.sessions().create().send().await?);
    drop(kept);
    client.sessions().drained().await;
    assert_eq!(alive(&emulator)?, 2);
    assert_eq!(emulator.count("delete_session")?, 0);
    Ok(())
}

#[tokio::test]
async fn ending_what_has_ended_is_no_error() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let session = client.sessions().create().send_owned().await?;
    Session::end(&session).await?;
    emulator.fault(Fault::status(404).on("delete_session"))?;
    session.end().await?;
    assert_eq!(emulator.count("delete_session")?, 2);
    Ok(())
}

/// It was created, although the answer is not what it should be.
#[tokio::test]
async fn a_session_whose_answer_cannot_be_read_is_ended() -> anyhow::Result<()> {
    let server = Server::start(|request| match &*request.method {
        "POST" => Answer::json(200, r#"{"data":{"id":"s","cdp_url":{}}}"#),
        _ => Answer::json(200, "{}"),
    });
    let server = server.await;
    let client = Client::builder().base_url(server.url()).api_key("k");
    let client = client.build()?;
    let create = client.sessions().create().send_owned();
    assert_eq!(create.await.unwrap_err().kind(), ErrorKind::Decode);
    client.sessions().drained().await;
    let last = server.requests().pop().unwrap();
    assert_eq!((&*last.method, &*last.target), ("DELETE", "/v1/sessions/s"));
    Ok(())
}

/// A failure is told, and the session is ended in the background all the same.
#[tokio::test]
async fn an_end_that_fails_is_tried_again() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let session = client.sessions().create().send_owned().await?;
    let forbidden = Fault::status(403).on("delete_session");
    emulator.fault(forbidden.clone())?;
    assert!(session.end().await.unwrap_err().is_forbidden());
    none_is_left(&emulator, &client, 1).await?;

    let session = client.sessions().create().send_owned().await?;
    emulator.fault(Fault::reset_before().on("delete_session"))?;
    drop(session);
    none_is_left(&emulator, &client, 2).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_owned_sessions_leave_none() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let mut tasks = JoinSet::new();
    for number in 0..50_u32 {
        let client = client.clone();
        tasks.spawn(async move {
            let mut create = client.sessions().create().send_owned().with_meta();
            // Some are given up at their first or a later step, others when they are there.
            for _ in 0..number % 10 {
                let step = std::future::poll_fn(|context| create.as_mut().poll(context).map(Some));
                let yielded = async {
                    tokio::task::yield_now().await;
                    None
                };
                tokio::pin!(yielded);
                let created = tokio::select! { created = step => created, none = yielded => none };
                if let Some(created) = created {
                    return finish(number, created.unwrap().value).await;
                }
            }
            if number % 3 > 0 {
                finish(number, create.await.unwrap().value).await;
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        assert!(task.is_ok() || task.unwrap_err().is_panic());
    }
    // All but number 0 and number 30, which never begin.
    none_is_left(&emulator, &client, 48).await
}

async fn finish(number: u32, session: OwnedSession) {
    match number % 4 {
        0 => drop(session),
        1 => session.end().await.unwrap(),
        2 => panic!("with a session in hand"),
        _ => drop(tokio::task::spawn_blocking(move || drop(session)).await),
    }
}

thread_local! {
    static LAST: RefCell<Option<OwnedSession>> = const { RefCell::new(None) };
}

/// Also guards that are dropped without a runtime, or after the thread's other locals.
#[tokio::test]
async fn a_thread_that_drops_guards_waits_for_their_end() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let first = client.sessions().create().send_owned().await?;
    let second = client.sessions().create().send_owned().await?;
    let thread = std::thread::spawn(move || {
        LAST.with(|last| *last.borrow_mut() = Some(second));
        drop(first);
    });
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await?;
    assert_eq!(emulator.count("delete_session")?, 2);
    assert_eq!(alive(&emulator)?, 0);
    Ok(())
}

const URL: &str = "ANCHORBROWSER_TEST_URL";
const END: &str = "ANCHORBROWSER_TEST_END";

/// Programs that end right after dropping a guard, or in the middle of a creation.
#[tokio::test]
async fn a_program_that_ends_leaves_no_session() -> anyhow::Result<()> {
    let ends = [
        ("error", 101),
        ("panic", 101),
        ("exit", 7),
        ("given up", 0),
        ("cancelled", 0),
    ];
    for (end, code) in ends {
        let emulator = Emulator::start().await?;
        let mut child = Command::new(std::env::current_exe()?);
        child
            .args(["--ignored", "--exact", "sdk::owned::child"])
            .env(URL, emulator.base_url())
            .env(END, end);
        let output = tokio::task::spawn_blocking(move || child.output()).await??;
        assert_eq!(output.status.code(), Some(code), "{end}: {output:?}");
        assert_eq!(emulator.count("create_session")?, 1, "{end}");
        assert_eq!(alive(&emulator)?, 0, "{end}");
    }
    Ok(())
}

/// What the child processes of the test above do.
#[test]
#[ignore = "a part of another test"]
fn child() -> anyhow::Result<()> {
    let (url, end) = (std::env::var(URL)?, std::env::var(END)?);
    let client = Client::builder().base_url(url).api_key("k").build()?;
    if end == "cancelled" {
        let create = client.sessions().create().send_owned();
        let cancelled = create.cancelled_by(tokio::task::yield_now()).blocking();
        assert!(cancelled.unwrap_err().is_cancelled());
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let create = client.sessions().create().send_owned();
        if end == "given up" {
            let mut create = create.with_meta();
            let once = std::future::poll_fn(|context| {
                assert!(create.as_mut().poll(context).is_pending());
                std::task::Poll::Ready(())
            });
            once.await;
            return Ok(());
        }
        let session = create.await?;
        match end.as_str() {
            "error" => anyhow::bail!("the program failed with {session:?}"),
            "panic" => panic!("the program panicked with {session:?}"),
            _ => drop(session),
        }
        std::process::exit(7);
    })
}
