//! Pollers: deadlines, sharing, giving up.

use std::future::{Future as _, IntoFuture as _};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use anchorbrowser::poll::{Fixed, Polled, WaitAll, Waited};
use anchorbrowser::sessions::{PendingSession, StartStatus};
use anchorbrowser::{Client, Error, ErrorKind, Options, PollStream, PollToken, Poller};
use anchorbrowser::{Session, wait_all};
use anchorbrowser_emulator::{Emulator, Fault};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{patient, quick};
use crate::sdk::methods::ID;
use crate::server::{Answer, Server};

const STATUS: &str = "get_async_session_status";
const SECOND: Duration = Duration::from_secs(1);

async fn start(client: &Client) -> anyhow::Result<PendingSession> {
    Ok(client.sessions().start().send().await?)
}

/// Asks each once, all at the same time.
async fn next(pollers: Vec<Poller<Session, StartStatus>>) -> Vec<Poller<Session, StartStatus>> {
    let mut tasks = JoinSet::new();
    for mut poller in pollers {
        tasks.spawn(async move {
            poller.next().await.unwrap().unwrap();
            poller
        });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn a_deadline_says_what_was_seen() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = start(&client).await?;
    let mut poller = pending.ready().deadline(Duration::from_millis(300));
    let text = poller.until_done().await.unwrap_err().to_string();
    for part in [
        "get_async_session_status: the deadline of 300.0ms for the start of a session has passed; after ",
        " polls, last seen: `pending`, `queued`; ",
        "wait again, or resume it",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let none = start(&client).await?.ready().deadline(Duration::ZERO);
    assert!(none.await.unwrap_err().is_deadline());
    emulator.advance(SECOND)?;
    poller.deadline(Duration::MAX).until_done().await?;
    Ok(())
}

#[tokio::test]
async fn the_last_poll_is_shortly_before_the_deadline() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let poller = start(&client).await?.ready();
    let mut poller = poller.schedule(Fixed(3600 * SECOND)).deadline(2 * SECOND);
    poller.next().await.unwrap()?;
    emulator.advance(SECOND)?;
    poller.until_done().await?;
    assert_eq!(emulator.count(STATUS)?, 2);
    Ok(())
}

/// Who comes back after the last poll was due, or after the deadline, has it made then.
#[tokio::test]
async fn the_last_poll_is_made_up_for() -> anyhow::Result<()> {
    for busy in [920, 1_020] {
        let (emulator, client) = patient(Emulator::builder()).await?;
        let poller = start(&client).await?.ready().deadline(SECOND);
        let mut poller = poller.schedule(Fixed(3600 * SECOND));
        poller.next().await.unwrap()?;
        emulator.advance(SECOND)?;
        tokio::time::sleep(Duration::from_millis(busy)).await;
        poller.until_done().await?;
        assert_eq!(emulator.count(STATUS)?, 2, "{busy}");
    }
    Ok(())
}

#[tokio::test]
async fn a_future_that_is_dropped_loses_nothing() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let mut poller = start(&client).await?.ready();
    emulator.fault(Fault::delay(SECOND).on(STATUS))?;
    tokio::select! {
        _ = poller.next() => panic!("it has not been answered"),
        asked = emulator.wait_for(STATUS, 1) => drop(asked?),
    }
    emulator.advance(SECOND)?;
    assert!(matches!(poller.next().await.unwrap()?, Polled::Done(_)));
    assert_eq!((poller.polls(), emulator.count(STATUS)?), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_poller_that_is_dropped_polls_no_more() -> anyhow::Result<()> {
    let (asked, closed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let answer = (asked.clone(), Answer::until_closed(closed.clone()));
    let server = Server::start(move |_| {
        answer.0.notify_one();
        answer.1.clone()
    });
    let server = server.await;
    let client = Client::builder().base_url(server.url()).api_key("k");
    let client = client.poll_schedule(Fixed(Duration::ZERO)).build()?;
    let mut poller = client.sessions().pending(ID).ready();
    tokio::select! {
        _ = poller.next() => panic!("it is not answered"),
        () = asked.notified() => {}
    }
    drop(poller);
    closed.notified().await;
    assert_eq!(server.requests().len(), 1);
    Ok(())
}

/// What nobody asks for is not polled, however long it takes until somebody does.
#[tokio::test]
async fn polls_are_made_on_demand() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let (idle, slow, busy) = (
        start(&client).await?,
        start(&client).await?,
        start(&client).await?,
    );
    let (idle_poller, mut slow_poller) = (idle.ready(), slow.ready());
    slow_poller.next().await.unwrap()?;
    let mut busy_poller = busy.ready();
    for _ in 0..30 {
        busy_poller.next().await.unwrap()?;
    }
    let polls = |pending: &PendingSession| {
        let exchanges = emulator.exchanges_of(STATUS).unwrap();
        let of = |path: &str| path.contains(pending.request_id().as_str());
        exchanges.iter().filter(|one| of(&one.path)).count()
    };
    assert_eq!([polls(&idle), polls(&slow), polls(&busy)], [0, 1, 30]);
    drop(idle_poller);
    Ok(())
}

#[tokio::test]
async fn those_who_wait_for_the_same_share_their_polls() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = start(&client).await?;
    let id = pending.request_id();
    let pollers = (0..100).map(|_| client.clone().sessions().pending(id).ready());
    let pollers = next(pollers.collect()).await;
    assert_eq!(emulator.count(STATUS)?, 1);
    let mut pollers = next(pollers).await;
    assert_eq!(emulator.count(STATUS)?, 2);
    assert!(pollers.iter().all(|poller| poller.polls() == 2));

    // Who comes later sees the last state at once; who has other settings asks apart.
    let late = next(vec![pending.ready()]).await;
    assert_eq!((late[0].polls(), emulator.count(STATUS)?), (1, 2));
    let apart = client.with_options(Options::new().header("x-other", "1"))?;
    next(vec![apart.sessions().pending(id).ready()]).await;
    assert_eq!(emulator.count(STATUS)?, 3);
    let own = pending.ready().schedule(Fixed(Duration::ZERO));
    next(vec![own]).await;
    assert_eq!(emulator.count(STATUS)?, 4);

    pollers.truncate(1);
    drop(late);
    let pollers = next(pollers).await;
    assert_eq!(emulator.count(STATUS)?, 5);
    emulator.advance(SECOND)?;
    drop(pending.ready().await?);
    assert_eq!(
        wait_all(pollers)
            .await
            .into_iter()
            .filter(Result::is_ok)
            .count(),
        1
    );
    assert_eq!(emulator.count(STATUS)?, 6);
    Ok(())
}

/// The polls of a runtime that stands still, or is gone, hold up nobody elsewhere.
#[test]
fn runtimes_do_not_wait_for_each_other() -> anyhow::Result<()> {
    let new = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build()
    };
    let servers = new()?;
    let (emulator, client) = servers.block_on(patient(Emulator::builder()))?;
    let still = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let pending = still.block_on(start(&client))?;
    let mut first = pending.ready().deadline(10 * SECOND);
    still.block_on(first.next()).unwrap()?;

    // Its polls go on only when somebody runs it; who waits elsewhere has others.
    emulator.advance(SECOND)?;
    let elsewhere = pending.ready().deadline(10 * SECOND);
    std::thread::scope(|scope| scope.spawn(|| elsewhere.blocking()).join().unwrap())?;
    drop(still);
    new()?.block_on(first.until_done())?;
    Ok(())
}

#[tokio::test]
async fn all_are_waited_for_whatever_becomes_of_some() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let mut pending = Vec::new();
    for place in 0..50 {
        pending.push(match place % 5 {
            0 => client.sessions().pending(ID),
            _ => start(&client).await?,
        });
    }
    emulator.advance(SECOND)?;
    let pollers = || pending.iter().map(PendingSession::ready);
    for (place, result) in wait_all(pollers()).await.into_iter().enumerate() {
        assert_eq!(
            result.is_err_and(|error| error.is_not_found()),
            place % 5 == 0
        );
    }
    let mut all = wait_all(pollers());
    let mut places = Vec::new();
    while let Some((place, result)) = all.next().await {
        assert_eq!(result.is_err(), place % 5 == 0);
        places.push(place);
        assert_eq!(all.len(), 50 - places.len());
    }
    places.sort_unstable();
    assert_eq!(places, (0..50).collect::<Vec<_>>());
    assert!(all.is_empty());
    Ok(())
}

/// The polls that a client may make go round. On a busy machine a turn may come late.
#[tokio::test]
async fn none_is_starved() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::builder(&emulator).polls_per_second(200.0);
    let client = client.poll_schedule(Fixed(Duration::ZERO)).build()?;
    let mut pollers = Vec::new();
    for _ in 0..10 {
        let poller = start(&client).await?.ready();
        pollers.push(poller.deadline(Duration::from_millis(400)));
    }
    assert!(wait_all(pollers).await.iter().all(Result::is_err));
    let mut polls = std::collections::HashMap::new();
    for exchange in emulator.exchanges_of(STATUS)? {
        *polls.entry(exchange.path).or_insert(0) += 1;
    }
    let (fewest, most) = (polls.values().min(), polls.values().max());
    assert!(
        polls.len() == 10 && most <= fewest.map(|it| 2 * it + 3).as_ref(),
        "{polls:?}"
    );
    // 80 in this time, and 10 after the quiet time before.
    assert!(polls.values().sum::<usize>() <= 110, "{polls:?}");
    Ok(())
}

#[tokio::test]
async fn a_stream_stays_at_its_end() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = start(&client).await?;
    emulator.advance(SECOND)?;
    let mut shown = pending.ready().stream();
    assert!(shown.next().await.unwrap()?.session.is_some());
    let mut failed = client.sessions().pending(ID).ready().stream();
    assert!(failed.next().await.unwrap().is_err());
    for _ in 0..2 {
        assert!(shown.next().await.is_none() && failed.next().await.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn a_wait_is_a_call() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = start(&client).await?;
    let cancelled = pending
        .ready()
        .into_future()
        .cancelled_by(std::future::ready(()));
    assert!(cancelled.await.unwrap_err().is_cancelled());
    emulator.advance(SECOND)?;
    let answer = pending.ready().into_future().with_meta().await?;
    assert_eq!(answer.meta.operation(), STATUS);
    assert_eq!(
        (answer.meta.status().as_u16(), answer.meta.attempts()),
        (200, 1)
    );
    let mut poller = pending.ready();
    assert!(matches!(poller.poll_once().await?, Polled::Done(_)));
    let error = poller.until_done().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    Ok(())
}

#[tokio::test]
async fn threads_wait_without_a_runtime() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let wait = move || {
        let start = || client.sessions().start().send().blocking();
        start()?.ready().blocking()?;
        let seen = start()?.ready().stream().blocking();
        let seen = seen.collect::<anchorbrowser::Result<Vec<_>>>()?;
        assert!(seen.len() > 1 && seen.last().unwrap().session.is_some());
        let mut iterator = client.sessions().pending(ID).ready().stream().blocking();
        assert!(
            iterator
                .next()
                .unwrap()
                .is_err_and(|error| error.is_not_found())
        );
        assert!(iterator.next().is_none());

        let missing = client.sessions().pending(ID);
        let both = anchorbrowser::wait_all([missing.ready(), start()?.ready()]).blocking()?;
        assert!(matches!(&both[..], [Err(error), Ok(_)] if error.is_not_found()));
        anyhow::Ok(())
    };
    // A thread of its own, and one of the runtime's.
    let thread = std::thread::spawn(wait.clone());
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await??;
    tokio::task::spawn_blocking(wait).await?
}

/// Nothing is left of those that are dropped, and the next ones need no more room.
#[tokio::test]
async fn ten_thousand_come_and_go() -> anyhow::Result<()> {
    let (_emulator, client) = patient(Emulator::builder()).await?;
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    for _ in 0..2 {
        let mut pollers: Vec<_> = (0..10_000)
            .map(|n| client.sessions().pending(format!("{n}")).ready())
            .collect();
        for poller in &mut pollers {
            let mut context = Context::from_waker(Waker::noop());
            assert!(pin!(poller.next()).poll(&mut context).is_pending());
        }
        assert!(metrics.num_alive_tasks() >= before + 10_000);
        drop(pollers);
        while metrics.num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// They can be kept in any task, and moved between threads.
#[test]
fn what_waits_can_be_kept_anywhere() {
    fn send<T: Send + Unpin + 'static>() {}
    fn shared<T: Sync>() {}
    fn future<T: Send>(_: T) {}
    fn futures(poller: &mut Poller<Session, StartStatus>) {
        future(poller.next());
        future(poller.until_done());
        future(poller.poll_once());
    }
    let _ = futures;
    send::<Poller<Session, StartStatus>>();
    shared::<Poller<Session, StartStatus>>();
    send::<PollStream<StartStatus>>();
    send::<WaitAll<Session>>();
    send::<(Polled<Session, StartStatus>, Waited, PollToken, Error)>();
    shared::<(Polled<Session, StartStatus>, Waited, PollToken, Error)>();
}
