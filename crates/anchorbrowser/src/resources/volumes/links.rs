//! URLs of the service's storage, which work without the key for a while.

use std::time::Duration;

use anchorbrowser_api::types;

use super::VolumeFiles;
use crate::Secret;
use crate::call::Call;
use crate::error::Open as _;

/// The making of a URL for an upload; see [`VolumeFiles::upload_url`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateUploadUrl {
    files: VolumeFiles,
    path: String,
    content_type: Option<String>,
    size: Option<u64>,
}

impl CreateUploadUrl {
    pub(super) fn new(files: VolumeFiles, path: String) -> Self {
        Self {
            files,
            path,
            content_type: None,
            size: None,
        }
    }

    /// The media type of the file.
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.content_type = Some(media_type.into());
        self
    }

    /// The length of the file in bytes.
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Makes the URL.
    ///
    /// Calls `create_upload_url`.
    pub fn send(self) -> Call<UploadUrl> {
        if let Err(error) = self.files.check("create_upload_url", "path", &self.path) {
            return Call::refused(error);
        }
        Call::new(&self.files.client, move |api| async move {
            let mut body = types::CreateUploadUrlBody::new(self.path);
            body.content_type = self.content_type;
            body.size = self.size.and_then(|size| size.try_into().ok());
            let call = api.create_upload_url().volume_id(self.files.volume);
            let answer = call.body(body).send().await?;
            answer.open("data.signed_url", |answer| {
                UploadUrl::new(answer.data.take()?)
            })
        })
    }
}

/// Where a file can be uploaded to, without the key. Whoever has it can.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadUrl {
    /// The URL.
    pub url: Secret,
    /// The method to use: `PUT`.
    pub method: String,
    /// The headers to send, unchanged.
    pub headers: Vec<(String, Secret)>,
    /// How long the URL works.
    pub expires_in: Option<Duration>,
}

impl UploadUrl {
    fn new(sent: types::VolumeUploadUrlResponseData) -> Option<Self> {
        let method = sent.method.as_ref().map_or("PUT", |method| method.as_str());
        Some(Self {
            url: sent.signed_url?,
            method: method.to_owned(),
            headers: sent.headers.into_iter().collect(),
            expires_in: seconds(sent.expires_in),
        })
    }
}

/// Where a file can be downloaded from, without the key. Whoever has it can.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadUrl {
    /// The URL.
    pub url: Secret,
    /// How long the URL works.
    pub expires_in: Option<Duration>,
    /// The length of the file in bytes.
    pub size: Option<u64>,
    /// The media type of the file.
    pub content_type: Option<String>,
}

impl DownloadUrl {
    pub(super) fn new(sent: types::VolumeDownloadUrlResponseData) -> Option<Self> {
        Some(Self {
            url: sent.signed_url?,
            expires_in: seconds(sent.expires_in),
            size: sent.size.and_then(|size| size.try_into().ok()),
            content_type: sent.content_type,
        })
    }
}

fn seconds(count: Option<i64>) -> Option<Duration> {
    Some(Duration::from_secs(count?.try_into().ok()?))
}
