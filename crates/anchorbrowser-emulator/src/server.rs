//! Connections: one task each, HTTP/1.1.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::service;
use crate::shared::{Shared, lock};
use crate::socket::Slot;
use crate::world::{StoreError, World};

/// Time for open connections to end after a shutdown was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// Takes connections until `stop` turns true.
pub(crate) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(
        shared.config.limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let mut connections = JoinSet::new();
    loop {
        let until = stop.clone();
        let accepted = async {
            // Held by the connection: without a permit, none is accepted.
            let permit = Arc::clone(&room).acquire_owned().await.ok();
            (listener.accept().await, permit)
        };
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            (accepted, permit) = accepted => match accepted {
                Ok((stream, _)) => {
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move {
                        connection(stream, shared, until).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, or a client that has gone: neither lasts.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
    drop(listener);
    match shared.enter(World::end_waits) {
        // Dropped, not shut down: no wait is left.
        Ok(()) | Err(StoreError::Closed) => {}
        Err(error) => tracing::error!(%error, "the last state could not be stored"),
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        connections.shutdown().await;
    }
}

/// Waits until `stop` turns true, or nobody can turn it any more.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    // Answers are small; waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let slot = Slot::default();
    let io = Socket {
        stream: TokioIo::new(stream),
        reset: Arc::clone(&reset),
    };
    let limits = shared.config.limits.clone();
    let service = service_fn(|request| {
        let (shared, reset) = (Arc::clone(&shared), Arc::clone(&reset));
        let slot = Arc::clone(&slot);
        async move { Ok::<_, Infallible>(service::serve(shared, request, reset, slot).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes.max(8 << 10))
        .serve_connection(io, service)
        .with_upgrades();
    tokio::pin!(connection);
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a connection ended early");
    }
    let granted = lock(&slot).take();
    if let Some(granted) = granted {
        granted.run(&mut stop).await;
    }
}

/// A socket that can be told to reset: every use fails from then on, and it closes with RST.
struct Socket {
    stream: TokioIo<TcpStream>,
    reset: Arc<AtomicBool>,
}

impl Socket {
    fn refuse(&self) -> io::Result<()> {
        match self.reset.load(Ordering::Acquire) {
            true => Err(io::ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Acquire) {
            // Without lingering, closing sends RST instead of FIN.
            let _ = self.stream.inner().set_zero_linger();
        }
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.refuse()?;
        Pin::new(&mut self.stream).poll_read(cx, to)
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.refuse()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.refuse()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
