//! Streams of what polls show.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{BoxStream, Stream, StreamExt as _};

use crate::error::Result;

/// What polls show, one after the other. It ends after the first error.
///
/// Nothing is polled before an item is asked for, and dropping it stops the polling.
#[must_use = "nothing is polled before an item is taken"]
pub struct PollStream<T>(BoxStream<'static, Result<T>>);

impl<T: Send + 'static> PollStream<T> {
    pub(crate) fn new(items: impl Stream<Item = Result<T>> + Send + 'static) -> Self {
        let items = items.scan(false, |failed, item| {
            let over = std::mem::replace(failed, item.is_err());
            std::future::ready((!over).then_some(item))
        });
        Self(items.fuse().boxed())
    }

    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// As [`Poller::next`](super::Poller::next).
    pub async fn next(&mut self) -> Option<Result<T>> {
        self.0.next().await
    }

    /// All items.
    ///
    /// # Errors
    /// The first error; the items until then are lost. Take them one by one to keep them.
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    /// An iterator that waits for each item, without an async runtime of the caller's.
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> impl Iterator<Item = Result<T>> {
        crate::background::items(self)
    }
}

impl<T> Stream for PollStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.0.poll_next_unpin(context)
    }
}

impl<T> fmt::Debug for PollStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollStream").finish_non_exhaustive()
    }
}
