//! Multipart forms: the parts of the API's uploads.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::error::{Error, ErrorKind};

/// The piece in which a file is read: small ones make an upload many times slower.
const CHUNK: usize = 256 * 1024;

/// A file to upload, with its name and length.
pub struct FilePart {
    body: Body,
    length: u64,
    file_name: String,
    content_type: Option<String>,
}

impl FilePart {
    /// A file of these bytes.
    pub fn bytes(file_name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        Self {
            body: bytes.into(),
            length,
            file_name: file_name.into(),
            content_type: None,
        }
    }

    /// The file at this path, under its own name. It is opened now and read while it is sent,
    /// never held whole; what is appended to it in between is not sent.
    ///
    /// # Errors
    /// If it cannot be opened, or is not a file.
    pub async fn path(path: impl AsRef<Path>) -> std::io::Result<Self> {
        let path = path.as_ref();
        // Before it is opened: to open a pipe could wait for ever.
        let metadata = tokio::fs::metadata(path).await?;
        if !metadata.is_file() {
            let kind = std::io::ErrorKind::InvalidInput;
            return Err(std::io::Error::new(
                kind,
                "only a regular file can be uploaded",
            ));
        }
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let file = tokio::fs::File::open(path).await?;
        let length = file.metadata().await?.len();
        // The form's length is said beforehand, so a file that grows must not break it.
        let chunks = ReaderStream::with_capacity(file.take(length), CHUNK);
        Ok(Self::stream(name, chunks, length))
    }

    /// A file of `length` bytes, from a stream that gives exactly as many; the call fails if it
    /// gives more or fewer.
    pub fn stream<S, E>(file_name: impl Into<String>, stream: S, length: u64) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let stream = Exact {
            stream: Some(Box::pin(stream)),
            left: length,
            last: None,
        };
        Self {
            body: Body::wrap_stream(stream),
            length,
            file_name: file_name.into(),
            content_type: None,
        }
    }

    /// The media type; default `application/octet-stream`.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// The file's name, in place of the one it was made with.
    #[must_use]
    pub fn file_name(mut self, file_name: impl Into<String>) -> Self {
        self.file_name = file_name.into();
        self
    }

    /// The part of a form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] if the media type is none, or if the name holds control
    /// characters: a line break would end the header that carries it.
    pub fn into_part(self) -> Result<Part, Error> {
        if self.file_name.contains(char::is_control) {
            return Err(invalid(
                "the name of the file holds control characters".to_owned(),
            ));
        }
        let content_type = self
            .content_type
            .as_deref()
            .unwrap_or("application/octet-stream");
        Part::stream_with_length(self.body, self.length)
            .file_name(self.file_name)
            .mime_str(content_type)
            .map_err(|_| invalid("the content type of the file is not a media type".to_owned()))
    }

    /// The file alone, and its length.
    pub(crate) fn into_body(self) -> (Body, u64) {
        (self.body, self.length)
    }
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart")
            .field("file_name", &self.file_name)
            .field("length", &self.length)
            .finish()
    }
}

/// A stream of a length that was said beforehand. What is too much would be cut off in silence, and
/// the form's end with it.
struct Exact<S> {
    /// `None` when it has ended.
    stream: Option<Pin<Box<S>>>,
    left: u64,
    /// The chunk that makes the length full. It is kept until the stream has ended: with it the
    /// request is whole, and nobody asks whether there is more.
    last: Option<Bytes>,
}

impl<S, E> Exact<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn take(&mut self, chunk: Bytes) -> Result<Option<Bytes>, &'static str> {
        let left = self.left.checked_sub(chunk.len() as u64);
        self.left = left.ok_or("the file is longer than was said")?;
        if self.left > 0 {
            return Ok(Some(chunk));
        }
        if !chunk.is_empty() {
            self.last = Some(chunk);
        }
        Ok(None)
    }
}

impl<S, E> Stream for Exact<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while let Some(stream) = &mut self.stream {
            let taken = match ready!(stream.as_mut().poll_next(context)) {
                Some(Ok(chunk)) => self.take(chunk),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None if self.left > 0 => Err("the file is shorter than was said"),
                None => {
                    self.stream = None;
                    Ok(None)
                }
            };
            match taken {
                Ok(Some(chunk)) => return Poll::Ready(Some(Ok(chunk))),
                Ok(None) => {}
                Err(reason) => return Poll::Ready(Some(Err(reason.into()))),
            }
        }
        Poll::Ready(self.last.take().map(Ok))
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

/// What generated form types are sent with.
#[allow(dead_code)] // which parts there are is up to the document
pub(crate) struct FormBuilder(Form);

#[allow(dead_code)] // which parts there are is up to the document
impl FormBuilder {
    pub(crate) fn new() -> Self {
        Self(Form::new())
    }

    /// A file, or an optional one.
    pub(crate) fn file(
        self,
        name: &'static str,
        file: impl Into<Option<FilePart>>,
    ) -> Result<Self, Error> {
        self.files(name, file.into())
    }

    /// Several files of one name.
    pub(crate) fn files(
        self,
        name: &'static str,
        files: impl IntoIterator<Item = FilePart>,
    ) -> Result<Self, Error> {
        files.into_iter().try_fold(self, |Self(form), file| {
            Ok(Self(form.part(name, file.into_part()?)))
        })
    }

    /// A text, if there is one.
    pub(crate) fn text<T: ToString>(
        self,
        name: &'static str,
        value: Option<&T>,
    ) -> Result<Self, Error> {
        self.texts(name, value)
    }

    /// Several texts of one name.
    pub(crate) fn texts<'a, T: ToString + 'a>(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = &'a T>,
    ) -> Result<Self, Error> {
        let add = |form: Form, value: &T| form.text(name, value.to_string());
        Ok(Self(values.into_iter().fold(self.0, add)))
    }

    /// A part of JSON, if there is one.
    pub(crate) fn json<T: Serialize>(
        self,
        name: &'static str,
        value: Option<&T>,
    ) -> Result<Self, Error> {
        let Some(value) = value else {
            return Ok(self);
        };
        let unfit = || invalid(format!("the part `{name}` cannot be written as JSON"));
        let text = serde_json::to_string(value).map_err(|_| unfit())?;
        let part = Part::text(text)
            .mime_str("application/json")
            .map_err(|_| unfit())?;
        Ok(Self(self.0.part(name, part)))
    }

    pub(crate) fn finish(self) -> Result<Form, Error> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_form_of_known_parts_is_known() -> Result<(), Error> {
        let form = FormBuilder::new()
            .file(
                "file",
                FilePart::bytes("a.txt", "canary").content_type("text/plain"),
            )?
            .file("none", None)?
            .text("path", Some(&"x/y"))?
            .text::<String>("absent", None)?
            .texts("tag", &["a", "b"])?
            .json("meta", Some(&serde_json::json!({"a": 1})))?
            .finish()?;
        let request = reqwest::Client::new()
            .post("http://localhost")
            .multipart(form)
            .build()?;
        assert!(
            request
                .headers()
                .contains_key(reqwest::header::CONTENT_LENGTH)
        );
        Ok(())
    }

    #[test]
    fn a_file_part_prints_its_name_and_length_only() {
        let part = FilePart::bytes("a.txt", "canary");
        assert_eq!(
            format!("{part:?}"),
            r#"FilePart { file_name: "a.txt", length: 6 }"#
        );
        assert!(part.content_type("no type").into_part().is_err());
    }
}
