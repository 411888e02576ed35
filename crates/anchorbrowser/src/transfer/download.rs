use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use anchorbrowser_api::ByteStream;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use tokio::io::AsyncBufRead;
use tokio_util::io::StreamReader;

use super::save::{Target, save};
use super::{Observer, Progress, name};
use crate::call::{Answer, Call, Meta};
use crate::error::{Error, ErrorKind, Result};
use crate::{Client, Secret};

/// The most that is set aside before the first byte is there: a server may promise anything.
const RESERVED: u64 = 16 * 1024 * 1024;

/// A body as it arrives: to be saved, read whole, or taken piece by piece.
///
/// It is never held whole unless asked for. It is also a [`Stream`] of its pieces. Dropping it
/// closes the connection.
///
/// ```no_run
/// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
/// session.screenshot().await?.save_to("page.png").await?;
///
/// let mut video = session.recordings().fetch_primary().await?;
/// println!("{:?} of {:?} bytes", video.file_name(), video.content_length());
/// while let Some(chunk) = video.chunk().await? {
///     println!("{} bytes more", chunk.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "the body is read by `save_to`, `save_in`, `bytes` or `chunk`"]
pub struct Download {
    body: ByteStream,
    meta: Meta,
    /// What the operation calls it.
    name: Option<String>,
    limit: Option<u64>,
    observer: Option<Observer>,
    done: u64,
    ended: bool,
}

impl Download {
    /// A call whose answer is a stream.
    pub(crate) fn of(call: Call<ByteStream>) -> Call<Self> {
        Call::from_future(async move {
            let Answer { value, meta } = call.with_meta().await?;
            let download = Self {
                body: value,
                meta: meta.clone(),
                name: None,
                limit: None,
                observer: None,
                done: 0,
                ended: false,
            };
            Ok(Answer {
                value: download,
                meta,
            })
        })
    }

    /// What is behind a link that the API told, under this name if the server tells none.
    pub(crate) fn linked(client: &Client, link: Option<&Secret>, name: Option<&str>) -> Call<Self> {
        let Some(link) = link.cloned() else {
            let message = "the API told no `file_link` of this file; it may not be ready yet";
            return Call::refused(Error::invalid("download_link", message));
        };
        let call = Call::new(client, move |api| async move {
            Ok(api.download_link(link.expose()).await?)
        });
        let name = name.map(str::to_owned);
        Self::of(call).and_then(|download| Ok(Self { name, ..download }))
    }

    /// Names it, in case the server does not.
    pub(crate) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The name of the file, if the server or the operation tells one. It is one that files can
    /// have on any system: without directories, control characters, leading dots and names of
    /// devices, and of at most 200 bytes.
    pub fn file_name(&self) -> Option<String> {
        name::of_headers(self.meta.headers())
            .and_then(|name| name::sanitize(&name))
            .or_else(|| name::sanitize(self.name.as_deref()?))
    }

    /// The media type, if the server tells it.
    pub fn content_type(&self) -> Option<&str> {
        self.header(&CONTENT_TYPE)
    }

    /// The length of the whole body in bytes, if the server tells it.
    pub fn content_length(&self) -> Option<u64> {
        self.header(&CONTENT_LENGTH)?.parse().ok()
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.meta.headers().get(name)?.to_str().ok()
    }

    /// Refuses a body of more bytes with [`ErrorKind::TooLarge`]: before it is read if the server
    /// tells its length, else when it exceeds the limit. By default there is no limit.
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// Calls this after each piece that came.
    pub fn on_progress(mut self, observer: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Body`] if the body breaks off, [`ErrorKind::Timeout`] if nothing comes for too
    /// long, [`ErrorKind::TooLarge`] at the [`limit`](Self::limit).
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context))
            .await
            .transpose()
    }

    /// The whole body. Set a [`limit`](Self::limit) if it may be long.
    ///
    /// # Errors
    /// Those of [`chunk`](Self::chunk).
    pub fn bytes(self) -> Call<Bytes> {
        self.then(async |mut download| download.read().await)
    }

    /// The whole body as text. Set a [`limit`](Self::limit) if it may be long.
    ///
    /// # Errors
    /// Those of [`chunk`](Self::chunk), and [`ErrorKind::Decode`] if it is not UTF-8.
    pub fn text(self) -> Call<String> {
        self.then(async |mut download| {
            let bytes = download.read().await?;
            String::from_utf8(bytes.into()).map_err(|source| {
                let message = "the body is no text in UTF-8; take its `bytes`";
                download
                    .failure(ErrorKind::Decode, message)
                    .with_source(source.utf8_error())
            })
        })
    }

    /// Saves the body as a file at this path and gives the number of bytes.
    ///
    /// The file is there when it is whole: it is written beside the path under another name, then
    /// renamed. So a failure, or a call that is dropped, leaves neither a part of it nor a change
    /// to a file that was there, which is replaced only at the end, with its permissions kept. The
    /// directory must exist.
    ///
    /// # Errors
    /// Those of [`chunk`](Self::chunk), and [`ErrorKind::File`], which names the path.
    pub fn save_to(self, path: impl AsRef<Path>) -> Call<u64> {
        let target = Target::File(path.as_ref().to_owned());
        self.then(async |mut download| {
            save(&mut download, target).await?;
            Ok(download.done)
        })
    }

    /// Saves the body in this directory under its [`file_name`](Self::file_name), or `download`,
    /// and gives the path. No file is replaced: if there is one of this name, the new one is called
    /// `name (1).txt` or so. All else is as with [`save_to`](Self::save_to).
    ///
    /// # Errors
    /// Those of [`save_to`](Self::save_to).
    pub fn save_in(self, directory: impl AsRef<Path>) -> Call<PathBuf> {
        let name = self.file_name().unwrap_or_else(|| "download".to_owned());
        let target = Target::Directory(directory.as_ref().to_owned(), name);
        self.then(async |mut download| save(&mut download, target).await)
    }

    /// A reader of the body. Its errors hold an [`Error`] of this crate.
    pub fn into_reader(self) -> impl AsyncBufRead + Send + Unpin {
        StreamReader::new(IoStream(self))
    }

    /// What is made of the body, as a call.
    fn then<T, R>(self, run: impl FnOnce(Self) -> R + Send + 'static) -> Call<T>
    where
        T: Send + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        Call::from_future(async move {
            let meta = self.meta.clone();
            let value = run(self).await?;
            Ok(Answer { value, meta })
        })
    }

    async fn read(&mut self) -> Result<Bytes> {
        let expected = self.content_length().unwrap_or(0).min(RESERVED);
        let mut all = BytesMut::with_capacity(usize::try_from(expected).unwrap_or(0));
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    pub(super) fn failure(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::of_stream(kind, &self.meta, message)
    }

    fn check(&self, length: u64) -> Result<()> {
        match self.limit {
            Some(limit) if length > limit => {
                let message = format!("the body is longer than the limit of {limit} bytes");
                Err(self.failure(ErrorKind::TooLarge, message))
            }
            _ => Ok(()),
        }
    }

    /// Counts a piece.
    fn take(&mut self, chunk: &Bytes) -> Result<()> {
        self.done += chunk.len() as u64;
        self.check(self.done)?;
        if let Some(observer) = &self.observer {
            let total = self.content_length();
            observer(Progress {
                done: self.done,
                total,
            });
        }
        Ok(())
    }
}

impl Stream for Download {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let checked = self.check(self.content_length().unwrap_or(0));
        let next = match checked {
            Ok(()) => ready!(Pin::new(&mut self.body).poll_next(context)),
            Err(error) => {
                self.ended = true;
                return Poll::Ready(Some(Err(error)));
            }
        };
        let next = next.map(|chunk| {
            let chunk = chunk?;
            self.take(&chunk)?;
            Ok(chunk)
        });
        self.ended = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }
}

/// Prints no URL and no header's value.
impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("operation", &self.meta.operation())
            .field("file_name", &self.file_name())
            .field("done", &self.done)
            .field("total", &self.content_length())
            .finish_non_exhaustive()
    }
}

/// The same stream, with the errors of I/O.
struct IoStream(Download);

impl Stream for IoStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.0).poll_next(context));
        Poll::Ready(next.map(|chunk| chunk.map_err(io::Error::other)))
    }
}
