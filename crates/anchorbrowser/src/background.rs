//! A runtime of the SDK's own, for what must go on when the caller's future or runtime is gone.
//!
//! It is one thread, started by the first use: an owned session's creation and end run there, and
//! so do blocking calls. An idle one costs nothing.

use std::cell::Cell;
use std::future::Future;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

#[cfg(feature = "blocking")]
use futures_util::stream::{Stream, StreamExt as _};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tracing::instrument::{Instrument as _, WithSubscriber as _};

use crate::error::{Error, ErrorKind, Result};

/// How long a thread that ends waits for what is unfinished.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a future on the background thread, in the span and with the subscriber of the caller.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let handle = handle().ok_or_else(|| {
        let message = "the SDK's background thread cannot be started; check the limits on threads";
        Error::new(ErrorKind::Config, message)
    })?;
    handle.spawn(future.in_current_span().with_current_subscriber());
    Ok(())
}

thread_local! {
    static IS_BACKGROUND: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is the background thread.
pub(crate) fn is_here() -> bool {
    IS_BACKGROUND.get()
}

/// The background runtime. That it cannot be started is not kept: there may be room later.
fn handle() -> Option<Handle> {
    static RUNTIME: Mutex<Option<Handle>> = Mutex::new(None);
    let mut runtime = lock(&RUNTIME);
    if runtime.is_none() {
        *runtime = start();
    }
    runtime.clone()
}

fn start() -> Option<Handle> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().ok()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("anchorbrowser".to_owned())
        .spawn(move || {
            IS_BACKGROUND.set(true);
            runtime.block_on(std::future::pending::<()>())
        })
        .ok()?;
    Some(handle)
}

/// Runs a future on the background thread and waits for its end without blocking. If the caller
/// does not wait to the end, the future goes on all the same, and counts as unfinished until then.
pub(crate) async fn run<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let (sender, mut receiver) = oneshot::channel();
    let abandoned = Arc::new(OnceLock::new());
    let mut caller = Caller(Some(abandoned.clone()));
    spawn(async move {
        // Nobody may be waiting: then what came is dropped, and a guard in it ends its session.
        drop(sender.send(future.await));
        drop(abandoned);
    })?;
    let result = (&mut receiver).await;
    caller.0 = None;
    result.unwrap_or_else(|_| Err(Error::cancelled()))
}

/// Of a caller that waits for [`run`]: dropped before the end, it marks the work as unfinished.
struct Caller(Option<Arc<OnceLock<Unfinished>>>);

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(abandoned) = self.0.take() {
            // Set only here. It goes with the work, which has the other half of the `Arc`.
            let _ = abandoned.set(Unfinished::begin());
            drop(abandoned);
            wait_at_exit();
        }
    }
}

/// Runs a future on the background thread and blocks the calling thread until its end.
#[cfg(feature = "blocking")]
pub(crate) fn wait<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    if is_here() {
        let message = "a blocking call was made in a callback or future of another call that runs \
                       on the SDK's background thread, and would wait for itself; make it from a \
                       thread of its own";
        return Err(Error::new(ErrorKind::Config, message));
    }
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    spawn(async move {
        let _ = sender.send(future.await);
    })?;
    let result = receiver.recv();
    // What the future left unfinished, e.g. a creation that was cancelled, is this thread's.
    wait_at_exit();
    result.unwrap_or_else(|_| Err(Error::cancelled()))
}

/// The items of a stream, each of which is waited for on the background thread.
#[cfg(feature = "blocking")]
pub(crate) fn items<T: Send + 'static>(
    stream: impl Stream<Item = Result<T>> + Send + Unpin + 'static,
) -> impl Iterator<Item = Result<T>> {
    let mut rest = Some(stream);
    std::iter::from_fn(move || {
        let mut stream = rest.take()?;
        let taken = wait(async move {
            let item = stream.next().await;
            Ok((item, stream))
        });
        match taken {
            Ok((item, stream)) => {
                rest = item.is_some().then_some(stream);
                item
            }
            Err(error) => Some(Err(error)),
        }
    })
}

/// Runs what ends a session, on the background thread, and counts it as unfinished until then.
pub(crate) fn spawn_ending(future: impl Future<Output = ()> + Send + 'static) {
    let ending = Unfinished::begin();
    let spawned = spawn(async move {
        future.await;
        drop(ending);
    });
    wait_at_exit();
    if let Err(error) = spawned {
        tracing::warn!(target: "anchorbrowser", %error, "a session could not be ended");
    }
}

/// Waits until nothing is unfinished in the background.
pub(crate) async fn drained() {
    loop {
        // Made before the look at the count, so that no change is missed.
        let finished = DRAINED.notified();
        if *lock(&UNFINISHED) == 0 {
            return;
        }
        finished.await;
    }
}

/// How much is under way that nobody waits for: sessions that are being ended, and creations whose
/// callers have gone.
static UNFINISHED: Mutex<usize> = Mutex::new(0);
/// Tells threads, and tasks, that nothing is.
static EXITS: Condvar = Condvar::new();
static DRAINED: Notify = Notify::const_new();

thread_local! {
    static AT_EXIT: AtExit = const { AtExit };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that nobody waits for.
struct Unfinished;

impl Unfinished {
    fn begin() -> Self {
        *lock(&UNFINISHED) += 1;
        Self
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let rest = {
            let mut count = lock(&UNFINISHED);
            *count -= 1;
            *count
        };
        if rest == 0 {
            EXITS.notify_all();
            DRAINED.notify_waiters();
        }
    }
}

/// Has the calling thread wait a while, when it ends, for all that is unfinished: otherwise the end
/// of `main` would end the process, and leave a session alive.
fn wait_at_exit() {
    // It fails if the thread is ending already and has waited before.
    if AT_EXIT.try_with(|_| ()).is_err() {
        drop(AtExit);
    }
}

struct AtExit;

impl Drop for AtExit {
    fn drop(&mut self) {
        let waited = EXITS.wait_timeout_while(lock(&UNFINISHED), GRACE, |count| *count > 0);
        drop(waited);
    }
}
