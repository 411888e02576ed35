//! Watches a request's body while it is sent, so that a long upload is not taken for a slow answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use reqwest::{Body, Request};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Bodies up to this length are sent at once and not watched. Longer pieces are handed on in parts
/// of it, so that progress shows.
const PIECE: usize = 256 * 1024;

/// How far an upload is.
pub(super) struct Upload {
    state: Mutex<State>,
    /// Tells that no more of the body will be sent.
    pub(super) ended: Notify,
}

#[derive(Clone, Copy)]
pub(super) struct State {
    /// When a piece last went out, or the body ended.
    pub(super) last: Instant,
    pub(super) ended: bool,
}

impl Upload {
    /// Watches the body of a request, if it is a stream or a long one.
    pub(super) fn watch(request: &mut Request) -> Option<Arc<Self>> {
        let body = request.body_mut();
        let short = |body: &Body| body.as_bytes().is_some_and(|bytes| bytes.len() <= PIECE);
        let inner = body.take_if(|body| !short(body))?;
        let upload = Arc::new(Self {
            state: Mutex::new(State {
                last: Instant::now(),
                ended: false,
            }),
            ended: Notify::new(),
        });
        *body = Some(Body::wrap(Watched {
            inner,
            rest: Bytes::new(),
            upload: upload.clone(),
        }));
        Some(upload)
    }

    pub(super) fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved(&self, ended: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.ended {
            state.last = Instant::now();
            state.ended = ended;
        }
        drop(state);
        if ended {
            self.ended.notify_one();
        }
    }
}

/// A body that tells of its progress.
struct Watched {
    inner: Body,
    /// What is left of a piece that was too long.
    rest: Bytes,
    upload: Arc<Upload>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<reqwest::Result<Frame<Bytes>>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => self.rest = bytes,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => {
                    self.upload.moved(true);
                    return Poll::Ready(end);
                }
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.upload.moved(self.is_end_stream());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

/// No more will be sent: the body ended without being asked for its end, or the connection failed.
impl Drop for Watched {
    fn drop(&mut self) {
        self.upload.moved(true);
    }
}
