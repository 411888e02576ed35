//! The task that reads and writes a connection.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::Sink;
use tokio::sync::mpsc;
use tokio::time::Sleep;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use super::shared::{End, Order, Shared};
use crate::error::excerpt;
use crate::socket::{Socket, SocketError};

/// How long what is unsent, a Close frame and its answer may take.
const LINGER: Duration = Duration::from_secs(1);

/// Reads and writes a connection until it is closed.
pub(super) struct Driver {
    socket: Socket,
    orders: mpsc::UnboundedReceiver<Order>,
    /// Commands that could not be written yet.
    unsent: VecDeque<String>,
    shared: Arc<Shared>,
    /// It is being closed, until then at most.
    closing: Option<Pin<Box<Sleep>>>,
}

/// However the task ends, also with its runtime, nobody waits in vain.
impl Drop for Driver {
    fn drop(&mut self) {
        let why = "the runtime that it was opened on has ended";
        self.shared.close(End::closed(why));
        self.shared.leave();
    }
}

impl Driver {
    pub(super) fn new(
        socket: Socket,
        orders: mpsc::UnboundedReceiver<Order>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            socket,
            orders,
            unsent: VecDeque::new(),
            shared,
            closing: None,
        }
    }

    /// Takes what is to be done. Also while nothing can be written, so that it can be closed then.
    fn take_orders(&mut self, cx: &mut Context<'_>) {
        while self.closing.is_none() {
            match self.orders.poll_recv(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Order::Send(text))) => self.unsent.push_back(text),
                // Also when nobody is left who could order anything.
                Poll::Ready(Some(Order::Close) | None) => {
                    self.shared.close(End::here());
                    self.closing = Some(Box::pin(tokio::time::sleep(LINGER)));
                }
            }
        }
    }

    /// Writes what is to be sent, and then the Close frame, if it is time.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), WsError> {
        let mut socket = Pin::new(&mut self.socket);
        while !self.unsent.is_empty() && socket.as_mut().poll_ready(cx)?.is_ready() {
            if let Some(text) = self.unsent.pop_front() {
                socket.as_mut().start_send(Message::text(text))?;
            }
        }
        let _ = match self.closing.is_some() && self.unsent.is_empty() {
            true => socket.poll_close(cx)?,
            false => socket.poll_flush(cx)?,
        };
        Ok(())
    }

    /// Takes what the server sends; why it is the last.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(message))) => match message {
                    Message::Text(text) => self.shared.receive(text.as_bytes()),
                    Message::Binary(bytes) => self.shared.receive(&bytes),
                    Message::Close(frame) => {
                        // Sends our own Close frame. Nobody waits for what the server does then.
                        let _ = Pin::new(&mut self.socket).poll_flush(cx);
                        return Poll::Ready(self.closed_by_server(frame));
                    }
                    Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                },
                Poll::Ready(Some(Err(error))) => return Poll::Ready(lost(error)),
                Poll::Ready(None) => return Poll::Ready(self.closed_by_server(None)),
            }
        }
    }

    fn closed_by_server(&self, frame: Option<CloseFrame>) -> End {
        let mut why = "the server closed it".to_owned();
        if let Some(frame) = frame {
            why = format!("{why} with code {}", u16::from(frame.code));
            if !frame.reason.is_empty() {
                let reason = self.shared.redact.text(&frame.reason);
                why = format!("{why}: {}", excerpt(&reason));
            }
        }
        End::closed(&why)
    }
}

fn lost(error: WsError) -> End {
    End::lost(SocketError::read(error))
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // What has come is read first: it may say why no more can be written.
        let mut end = this.read(cx);
        if end.is_pending() {
            this.take_orders(cx);
            let written = this.write(cx);
            let closing = this.closing.as_mut();
            let lingered = closing.is_some_and(|closing| closing.as_mut().poll(cx).is_ready());
            match written {
                Err(error) => end = Poll::Ready(lost(error)),
                Ok(()) if lingered => end = Poll::Ready(End::here()),
                Ok(()) => {}
            }
        }
        match end {
            Poll::Ready(end) => {
                this.shared.close(end);
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
