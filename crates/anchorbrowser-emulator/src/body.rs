//! Bodies of answers: whole, slow, or cut.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Full<Bytes>),
    /// Pieces of a body of a stated length; it is cut if the sender ends early.
    Pieces {
        length: u64,
        pieces: mpsc::Receiver<Bytes>,
        flushed: bool,
    },
}

impl Body {
    /// Pieces of a body of this length.
    pub(crate) fn pieces(length: u64, pieces: mpsc::Receiver<Bytes>) -> Self {
        Self::Pieces {
            length,
            pieces,
            flushed: false,
        }
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Full::new(bytes.into()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
            Self::Pieces {
                length,
                pieces,
                flushed,
            } => match pieces.poll_recv(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Some(piece)) => {
                    *length = length.saturating_sub(piece.len() as u64);
                    Poll::Ready(Some(Ok(Frame::data(piece))))
                }
                Poll::Ready(None) if *length == 0 => Poll::Ready(None),
                Poll::Ready(None) if *flushed => {
                    Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())))
                }
                Poll::Ready(None) => {
                    // An error drops what was not sent yet. While this waits, it is sent.
                    *flushed = true;
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Pieces { length, .. } => *length == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Pieces { length, .. } => SizeHint::with_exact(*length),
        }
    }
}
