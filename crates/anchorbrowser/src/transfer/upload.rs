use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::{Class, Error as ApiError, Operation, Repeats, ResponseValue};
use bytes::Bytes;
use futures_core::Stream;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::source::{self, Chunks, Counted, Failure, IoStream, Pieces};
use super::{Observer, PIECE, Progress};
use crate::error::{Error, ErrorKind, Result};

/// A file to upload: a path, bytes, a reader or a stream. Where one is wanted, a path will do.
///
/// It is read while it is sent, and never held whole.
///
/// ```no_run
/// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
/// use anchorbrowser::Upload;
///
/// session.upload("report.pdf").await?;
/// let notes = Upload::bytes("notes.txt", "some text").content_type("text/plain");
/// session.upload(notes).await?;
/// # Ok(())
/// # }
/// ```
///
/// Of a path or bytes, the upload is repeated as the client's [`RetryPolicy`](crate::RetryPolicy)
/// says: in a form after a failure that certainly had no effect (no connection, 429, 503 with
/// `Retry-After`). A reader or a stream can be read only once.
#[must_use]
pub struct Upload {
    source: Source,
    file_name: String,
    content_type: Option<String>,
    observer: Option<Observer>,
}

enum Source {
    Path(PathBuf),
    Bytes(Bytes),
    /// The pieces are gone when they have been sent.
    Stream(Option<Chunks>, u64),
}

impl Upload {
    /// The file at this path, under its own name. It is opened when the call is sent;
    /// [`ErrorKind::File`] then names the path.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        Self::new(name, Source::Path(path))
    }

    /// These bytes.
    pub fn bytes(file_name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self::new(file_name.into(), Source::Bytes(bytes.into()))
    }

    /// What a reader gives, which must be `length` bytes: otherwise the call fails with
    /// [`ErrorKind::File`].
    pub fn reader<R>(file_name: impl Into<String>, reader: R, length: u64) -> Self
    where
        R: AsyncRead + Send + 'static,
    {
        let chunks = Box::pin(ReaderStream::with_capacity(reader, PIECE));
        Self::new(file_name.into(), Source::Stream(Some(chunks), length))
    }

    /// What a stream gives, which must be `length` bytes: otherwise the call fails with
    /// [`ErrorKind::File`].
    pub fn stream<S, E>(file_name: impl Into<String>, stream: S, length: u64) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let chunks = Box::pin(IoStream(Box::pin(stream)));
        Self::new(file_name.into(), Source::Stream(Some(chunks), length))
    }

    fn new(file_name: String, source: Source) -> Self {
        Self {
            source,
            file_name,
            content_type: None,
            observer: None,
        }
    }

    /// Sends the file under this name.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = name.into();
        self
    }

    /// The media type; default `application/octet-stream`.
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.content_type = Some(media_type.into());
        self
    }

    /// Calls this with each piece that is handed to the connection; the server may have received
    /// less. If the upload is repeated, it begins again.
    pub fn on_progress(mut self, observer: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The media type that was set.
    pub(crate) fn media_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The length in bytes.
    pub(crate) async fn length(&mut self, operation: &'static str) -> Result<u64> {
        match &self.source {
            Source::Bytes(bytes) => Ok(bytes.len() as u64),
            Source::Stream(_, length) => Ok(*length),
            Source::Path(path) => {
                let metadata = tokio::fs::metadata(path).await;
                let length = metadata.and_then(|metadata| source::regular(&metadata));
                length.map_err(|error| self.unreadable(operation, error))
            }
        }
    }

    /// Sends the file by this call, again if it fails and may be repeated.
    pub(crate) async fn send<T, F, R>(
        mut self,
        api: anchorbrowser_api::Client,
        operation: &'static str,
        send: F,
    ) -> Result<ResponseValue<T>>
    where
        F: Fn(anchorbrowser_api::Client, FilePart) -> R,
        R: Future<Output = Result<ResponseValue<T>, ApiError>>,
    {
        // What is no operation of the document is a `PUT` to a URL.
        let class = Operation::find(operation).map_or(Class::Repeatable, |found| found.class);
        let mut repeats = Repeats::new(&api, class);
        loop {
            let (part, failure) = self.part(operation).await?;
            let error = match send(repeats.client(), part).await {
                Ok(answer) => return Ok(repeats.answer(answer)),
                Err(error) => error,
            };
            if let Some(source) = failure.take() {
                return Err(self.unreadable(operation, source));
            }
            repeats.failed(error, self.is_left()).await?;
        }
    }

    /// The file for one attempt, and where to look if it fails.
    async fn part(&mut self, operation: &'static str) -> Result<(FilePart, Failure)> {
        let opened = self.open().await;
        let (chunks, length) = opened.map_err(|error| self.unreadable(operation, error))?;
        let failure = Failure::default();
        let counted = Counted {
            chunks,
            done: 0,
            total: length,
            observer: self.observer.clone(),
            failure: failure.clone(),
        };
        let part = FilePart::stream(self.file_name.as_str(), counted, length);
        let part = match &self.content_type {
            Some(content_type) => part.content_type(content_type.as_str()),
            None => part,
        };
        Ok((part, failure))
    }

    async fn open(&mut self) -> io::Result<(Chunks, u64)> {
        match &mut self.source {
            Source::Path(path) => source::open(path).await,
            Source::Bytes(bytes) => {
                let chunks: Chunks = Box::pin(Pieces(bytes.clone()));
                Ok((chunks, bytes.len() as u64))
            }
            Source::Stream(chunks, length) => {
                let chunks = chunks.take();
                let chunks = chunks.ok_or_else(|| io::Error::other("it has been read already"))?;
                Ok((chunks, *length))
            }
        }
    }

    /// Whether there is something to send again.
    fn is_left(&self) -> bool {
        !matches!(self.source, Source::Stream(None, _))
    }

    fn unreadable(&self, operation: &'static str, source: io::Error) -> Error {
        let what = match &self.source {
            Source::Path(path) => path.to_string_lossy(),
            _ => self.file_name.as_str().into(),
        };
        let message = format!("the file `{what}` cannot be read");
        Error::new(ErrorKind::File, message)
            .of(operation)
            .with_source(source)
    }
}

/// The file at this path; see [`Upload::path`].
macro_rules! from_path {
    ($($path:ty),*) => {$(
        impl From<$path> for Upload {
            fn from(path: $path) -> Self {
                Self::path(path)
            }
        }
    )*};
}

from_path!(&str, String, &String, &Path, PathBuf, &PathBuf);

/// Prints nothing of the content.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Upload");
        text.field("file_name", &self.file_name);
        match &self.source {
            Source::Path(path) => text.field("path", path),
            Source::Bytes(bytes) => text.field("length", &bytes.len()),
            Source::Stream(_, length) => text.field("length", length),
        };
        text.field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}
