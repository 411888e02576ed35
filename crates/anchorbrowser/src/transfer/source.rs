//! Where the bytes of an upload come from.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::{Observer, PIECE, Progress};

/// The pieces of a file, as they are read.
pub(super) type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Opens a file, and gives its pieces and its length. What is appended to it in between is not
/// read.
pub(super) async fn open(path: &Path) -> io::Result<(Chunks, u64)> {
    // Before it is opened: to open a pipe could wait for ever.
    regular(&tokio::fs::metadata(path).await?)?;
    let file = File::open(path).await?;
    let length = file.metadata().await?.len();
    let chunks = ReaderStream::with_capacity(file.take(length), PIECE);
    Ok((Box::pin(chunks), length))
}

/// The length of what is a regular file.
pub(super) fn regular(metadata: &std::fs::Metadata) -> io::Result<u64> {
    match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        )),
    }
}

/// Bytes in pieces, so that progress shows.
pub(super) struct Pieces(pub(super) Bytes);

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let length = self.0.len().min(PIECE);
        let piece = self.0.split_to(length);
        Poll::Ready((length > 0).then_some(Ok(piece)))
    }
}

/// A stream of the caller's, with the errors of I/O.
pub(super) struct IoStream<S>(pub(super) Pin<Box<S>>);

impl<S, E> Stream for IoStream<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.0.as_mut().poll_next(context));
        Poll::Ready(next.map(|chunk| chunk.map_err(io::Error::other)))
    }
}

/// Why a source failed: the transport sees only that the body did.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps the error and gives one in its place.
    fn keep(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        io::Error::new(kind, "the file cannot be read")
    }
}

/// Pieces that are counted, and must be as many bytes as was said.
pub(super) struct Counted {
    pub(super) chunks: Chunks,
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) observer: Option<Observer>,
    pub(super) failure: Failure,
}

impl Counted {
    fn check(&mut self, next: Option<io::Result<Bytes>>) -> io::Result<Option<Bytes>> {
        let chunk = next.transpose()?;
        let (total, length) = (self.total, chunk.as_ref().map_or(0, Bytes::len));
        self.done += length as u64;
        if self.done > total || (chunk.is_none() && self.done < total) {
            let done = self.done;
            let message = format!("it gave {done} bytes, and its length was said to be {total}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(chunk)
    }
}

impl Stream for Counted {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.chunks.as_mut().poll_next(context));
        let checked = self.check(next).map_err(|error| self.failure.keep(error));
        if let (Ok(Some(_)), Some(observer)) = (&checked, &self.observer) {
            observer(Progress {
                done: self.done,
                total: Some(self.total),
            });
        }
        Poll::Ready(checked.transpose())
    }
}
