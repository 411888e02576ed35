//! Lists: a page at a time, or all items as a stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::call::Call;
use crate::error::{Error, ErrorKind, Result};

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cursor {
    /// The number of a page, from 1.
    Page(u64),
    /// How many items come before.
    Offset(u64),
    /// What the server calls it.
    Token(String),
}

impl Cursor {
    /// The page after the present one, if there is one. `asked` is the number that was asked for;
    /// the server's own, `current`, wins: if it ignores what was asked for, the list does not
    /// advance, and that is noticed.
    pub(crate) fn after_page(
        asked: u64,
        current: Option<u64>,
        pages: Option<u64>,
        has_next: Option<bool>,
    ) -> Option<Self> {
        let current = current.unwrap_or(asked);
        let more = has_next.unwrap_or_else(|| pages.is_some_and(|pages| current < pages));
        more.then(|| Self::Page(current.saturating_add(1)))
    }
}

/// One page of a list.
///
/// Lists that the API does not divide are one page.
#[derive(Clone)]
pub struct Page<T> {
    /// The items, in the order of the API.
    pub items: Vec<T>,
    /// How many items there are on all pages, if the API tells it.
    pub total: Option<u64>,
    next: Option<(Cursor, Pager<T>)>,
}

impl<T: Send + 'static> Page<T> {
    /// Whether the API has told of a further page.
    pub fn has_next(&self) -> bool {
        self.next.is_some()
    }

    /// The call of the next page; `None` if this is the last one.
    pub fn next_page(&self) -> Option<Call<Page<T>>> {
        let (cursor, pager) = self.next.as_ref()?;
        Some(pager.page(Some(cursor.clone())))
    }
}

impl<T: fmt::Debug> fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("items", &self.items)
            .field("total", &self.total)
            .field("has_next", &self.next.is_some())
            .finish()
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

/// What a list's answer says: the items, how many there are in all, and where the next page begins.
pub(crate) struct Part<T> {
    pub(crate) items: Vec<T>,
    pub(crate) total: Option<u64>,
    pub(crate) next: Option<Cursor>,
}

/// Gets the part that begins at a cursor, or without one where the caller wants to begin.
type Fetch<T> = dyn Fn(Option<&Cursor>) -> Call<Part<T>> + Send + Sync;

/// A list that is fetched page by page.
pub(crate) struct Pager<T> {
    operation: &'static str,
    fetch: Arc<Fetch<T>>,
}

impl<T: Send + 'static> Pager<T> {
    pub(crate) fn new(
        operation: &'static str,
        fetch: impl Fn(Option<&Cursor>) -> Call<Part<T>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            operation,
            fetch: Arc::new(fetch),
        }
    }

    /// The first page.
    pub(crate) fn send(self) -> Call<Page<T>> {
        self.page(None)
    }

    /// The first page, of which the part has been fetched already.
    pub(crate) fn begun(self, part: Part<T>) -> Page<T> {
        Page {
            items: part.items,
            total: part.total,
            next: part.next.map(|next| (next, self)),
        }
    }

    /// All items.
    pub(crate) fn stream(self) -> PageStream<T> {
        PageStream {
            pager: self,
            state: State::Next(None),
            items: VecDeque::new(),
            empty_pages: 0,
        }
    }

    fn page(&self, cursor: Option<Cursor>) -> Call<Page<T>> {
        let pager = self.clone();
        (self.fetch)(cursor.as_ref()).and_then(move |part| {
            // Asked for again, it would give the same page for ever.
            if part.next.is_some() && part.next == cursor {
                return Err(pager.stuck("its next page begins where this one does"));
            }
            Ok(pager.begun(part))
        })
    }

    fn stuck(&self, reason: &str) -> Error {
        let message = format!("the list does not advance: {reason}");
        Error::new(ErrorKind::Decode, message).of(self.operation)
    }
}

impl<T> Clone for Pager<T> {
    fn clone(&self) -> Self {
        Self {
            operation: self.operation,
            fetch: self.fetch.clone(),
        }
    }
}

/// A list without options, which is one page.
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct List<T>(Pager<T>);

impl<T: Send + 'static> List<T> {
    pub(crate) fn new(
        operation: &'static str,
        fetch: impl Fn() -> Call<Vec<T>> + Send + Sync + 'static,
    ) -> Self {
        Self(Pager::new(operation, move |_| {
            fetch().and_then(|items| {
                Ok(Part {
                    total: Some(items.len() as u64),
                    items,
                    next: None,
                })
            })
        }))
    }

    /// The whole list, as a page.
    pub fn send(self) -> Call<Page<T>> {
        self.0.send()
    }

    /// The items, one by one.
    pub fn stream(self) -> PageStream<T> {
        self.0.stream()
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").finish_non_exhaustive()
    }
}

/// All items of a list, fetched page by page as they are taken.
///
/// It ends after the first error. Dropping it stops the fetching.
///
/// A page is what the API counts off when it is fetched: if items join or leave the list meanwhile,
/// some may come twice or not at all. To change what is listed, e.g. to end all sessions with a tag,
/// [`collect`](Self::collect) the items first.
#[must_use = "nothing is sent before an item is taken"]
pub struct PageStream<T> {
    pager: Pager<T>,
    state: State<T>,
    items: VecDeque<T>,
    /// How many pages in a row had no item.
    empty_pages: u32,
}

/// The most pages in a row that may have no item: a filter may leave some empty, but a server that
/// makes up cursors must not keep a program busy for ever.
const MOST_EMPTY: u32 = 100;

enum State<T> {
    /// A page is to be fetched when the items have been taken.
    Next(Option<Cursor>),
    Fetching(Call<Page<T>>),
    Done,
}

impl<T: Send + 'static> PageStream<T> {
    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// What the call of a page fails with; [`ErrorKind::Decode`] if the list does not advance.
    pub async fn next(&mut self) -> Option<Result<T>> {
        std::future::poll_fn(|context| self.poll(context)).await
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

    /// An iterator that waits for each page, without an async runtime of the caller's.
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(mut self) -> impl Iterator<Item = Result<T>> {
        std::iter::from_fn(move || {
            if let Some(item) = self.items.pop_front() {
                return Some(Ok(item));
            }
            if matches!(self.state, State::Done) {
                return None;
            }
            let mut rest = Self {
                pager: self.pager.clone(),
                state: std::mem::replace(&mut self.state, State::Done),
                items: VecDeque::new(),
                empty_pages: self.empty_pages,
            };
            let taken = crate::background::wait(async move {
                let item = rest.next().await;
                Ok((item, rest))
            });
            match taken {
                Ok((item, rest)) => {
                    self = rest;
                    item
                }
                Err(error) => Some(Err(error)),
            }
        })
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            match &mut self.state {
                State::Done => return Poll::Ready(None),
                State::Next(cursor) => {
                    let call = self.pager.page(cursor.take());
                    self.state = State::Fetching(call);
                }
                State::Fetching(call) => {
                    let page = ready!(Pin::new(call).poll(context));
                    self.state = State::Done;
                    match page.and_then(|page| self.take(page)) {
                        Ok(()) => {}
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
            }
        }
    }

    fn take(&mut self, page: Page<T>) -> Result<()> {
        self.empty_pages = match page.items.is_empty() {
            true => self.empty_pages + 1,
            false => 0,
        };
        if self.empty_pages > MOST_EMPTY && page.has_next() {
            return Err(self.pager.stuck("one page after the other is empty"));
        }
        if let Some((cursor, _)) = page.next {
            self.state = State::Next(Some(cursor));
        }
        self.items = page.items.into();
        Ok(())
    }
}

impl<T: Send + 'static> Stream for PageStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.poll(context)
    }
}

// No item is pinned: they are handed out by value.
impl<T> Unpin for PageStream<T> {}

impl<T> fmt::Debug for PageStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageStream").finish_non_exhaustive()
    }
}
