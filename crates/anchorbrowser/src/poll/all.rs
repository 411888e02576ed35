//! Many waits at once.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};

use super::Poller;
use crate::error::Result;

/// Waits for many things at once. They share the client's limit of polls per second, which serves
/// them in turn.
///
/// Await it for all results, in the order of the pollers; [`WaitAll::next`] gives each as it comes.
/// That some fail does not end the wait for the others.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let mut pollers = Vec::new();
/// for _ in 0..20 {
///     pollers.push(client.sessions().start().send().await?.ready());
/// }
/// let mut all = anchorbrowser::wait_all(pollers);
/// while let Some((place, session)) = all.next().await {
///     println!("{place}: {}", session?.id());
/// }
/// # Ok(())
/// # }
/// ```
pub fn wait_all<T, P>(pollers: impl IntoIterator<Item = Poller<T, P>>) -> WaitAll<T>
where
    T: Send + 'static,
    P: Clone + Send + Sync + 'static,
{
    let pollers = pollers.into_iter().enumerate();
    let waits = pollers.map(|(place, poller)| -> Waiting<T> {
        let call = poller.into_future();
        Box::pin(async move { (place, call.await) })
    });
    WaitAll(waits.collect())
}

type Waiting<T> = Pin<Box<dyn Future<Output = (usize, Result<T>)> + Send>>;

/// Many waits at once; see [`wait_all`].
#[must_use = "nothing is polled before it is awaited, or `next` is called"]
pub struct WaitAll<T>(FuturesUnordered<Waiting<T>>);

impl<T: Send + 'static> WaitAll<T> {
    /// The result that comes next, and the place of its poller, from 0; `None` at the end.
    pub async fn next(&mut self) -> Option<(usize, Result<T>)> {
        self.0.next().await
    }

    /// Waits for all, without an async runtime of the caller's: the results, in the order of the
    /// pollers.
    ///
    /// # Errors
    /// As [`Call::blocking`](crate::Call::blocking). What a wait fails with is among the results.
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> Result<Vec<Result<T>>> {
        crate::background::wait(async move { Ok(self.await) })
    }

    /// How many have not ended.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all have ended.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Stream for WaitAll<T> {
    type Item = (usize, Result<T>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

/// All results, in the order of the pollers.
impl<T: Send + 'static> IntoFuture for WaitAll<T> {
    type Output = Vec<Result<T>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut results: Vec<_> = self.0.collect().await;
            results.sort_by_key(|(place, _)| *place);
            results.into_iter().map(|(_, result)| result).collect()
        })
    }
}

impl<T> fmt::Debug for WaitAll<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitAll")
            .field("left", &self.0.len())
            .finish()
    }
}
