//! The files of a volume.

use anchorbrowser_api::types;

use super::list::{ListFiles, ListPaths};
use super::upload::UploadFile;
use super::{CreateUploadUrl, DownloadUrl, boolean, upload};
use crate::call::Call;
use crate::error::{Error, Open as _, Result};
use crate::transfer::{Download, Upload};
use crate::{Client, Timestamp, VolumeId};

/// The files of one volume; see [`Volumes::files`](super::Volumes::files).
///
/// Paths begin at the root of the volume, and have `/` between their parts.
///
/// Its calls fail with [`is_not_found`](Error::is_not_found) if there is no such volume, file or
/// directory, and with [`is_conflict`](Error::is_conflict) or a status 412 while the volume is not
/// ready.
#[derive(Clone, Debug)]
pub struct VolumeFiles {
    pub(super) client: Client,
    pub(super) volume: VolumeId,
}

impl VolumeFiles {
    pub(super) fn new(client: &Client, volume: VolumeId) -> Self {
        Self {
            client: client.clone(),
            volume,
        }
    }

    /// Lists files and directories, by default those at the root.
    pub fn list(&self) -> ListFiles {
        ListFiles::new(self.clone())
    }

    /// Lists the paths of all files and directories; that of a directory ends with `/`.
    pub fn paths(&self) -> ListPaths {
        ListPaths::new(self.clone())
    }

    /// What is known of a file.
    ///
    /// Calls `get_file_info`.
    pub fn stat(&self, path: impl Into<String>) -> Call<VolumeFile> {
        self.with_path(
            "get_file_info",
            path.into(),
            |volume, path, api| async move {
                let asked = path.clone();
                let answer = api.get_file_info().volume_id(volume).path(path).send();
                let answer = answer.await?;
                answer.open("data", |answer| {
                    Some(VolumeFile::new(answer.data.take()?, asked))
                })
            },
        )
    }

    /// Uploads a file of at most 10 MB to this path. For larger ones there is
    /// [`upload_large`](Self::upload_large).
    pub fn upload(&self, path: impl Into<String>, file: impl Into<Upload>) -> UploadFile {
        UploadFile::new(self.clone(), path.into(), file.into())
    }

    /// Uploads a file of up to 5 GB to this path. A file that is there may be replaced.
    ///
    /// The service gives a URL of its storage, and the file goes there directly, without the key.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file cannot be read.
    ///
    /// Calls `create_upload_url`, and sends the file to the URL.
    pub fn upload_large(&self, path: impl Into<String>, file: impl Into<Upload>) -> Call<()> {
        upload::upload_large(self, path.into(), file.into())
    }

    /// Makes a URL to which a file can be uploaded without the key, by another program for
    /// example. [`upload_large`](Self::upload_large) does both.
    pub fn upload_url(&self, path: impl Into<String>) -> CreateUploadUrl {
        CreateUploadUrl::new(self.clone(), path.into())
    }

    /// Downloads a file. It comes from the service's storage directly, and the key does not go
    /// there.
    ///
    /// Calls `get_download_url`, and fetches what is behind the URL.
    pub fn download(&self, path: impl Into<String>) -> Call<Download> {
        let path = path.into();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let link = self.download_url(path);
        let client = self.client.clone();
        let call = Call::from_future(async move {
            let link = link.await?;
            let call = Call::new(&client, |api| async move {
                Ok(api.download_url(link.url.expose()).await?)
            });
            call.with_meta().await
        });
        Download::of(call).and_then(|download| Ok(download.named(name)))
    }

    /// Makes a URL from which a file can be downloaded without the key, by another program for
    /// example. [`download`](Self::download) does both.
    ///
    /// Calls `get_download_url`.
    pub fn download_url(&self, path: impl Into<String>) -> Call<DownloadUrl> {
        self.with_path(
            "get_download_url",
            path.into(),
            |volume, path, api| async move {
                let answer = api.get_download_url().volume_id(volume).path(path).send();
                let answer = answer.await?;
                answer.open("data.signed_url", |answer| {
                    DownloadUrl::new(answer.data.take()?)
                })
            },
        )
    }

    /// Deletes a file.
    ///
    /// Calls `delete_files`.
    pub fn delete(&self, path: impl Into<String>) -> Call<()> {
        self.with_path(
            "delete_files",
            path.into(),
            |volume, path, api| async move {
                let answer = api.delete_files().volume_id(volume).path(path).send();
                Ok(answer.await?.map(drop))
            },
        )
    }

    /// Deletes all files whose path begins with this text, and gives their number if the API tells
    /// it. `reports/` stands for all that is in a directory; `reports` is also the beginning of
    /// `reports-2025/`.
    ///
    /// Calls `delete_files`.
    pub fn delete_all(&self, prefix: impl Into<String>) -> Call<Option<u64>> {
        const OPERATION: &str = "delete_files";
        let (volume, prefix) = (self.volume.clone(), prefix.into());
        if let Err(error) = self.check(OPERATION, "prefix", &prefix) {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let call = api.delete_files().volume_id(volume).prefix(prefix);
            let answer = call.recursive(boolean(true)).send().await?;
            Ok(answer.map(|answer| answer.data?.deleted_count?.try_into().ok()))
        })
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// [`is_conflict`](Error::is_conflict) if something has this path already.
    ///
    /// Calls `create_directory`.
    pub fn create_directory(&self, path: impl Into<String>) -> Call<()> {
        self.with_path(
            "create_directory",
            path.into(),
            |volume, path, api| async move {
                let body = types::CreateDirectoryBody::new(path);
                let answer = api.create_directory().volume_id(volume).body(body).send();
                Ok(answer.await?.map(drop))
            },
        )
    }

    /// A call that needs a path.
    fn with_path<T, F, R>(&self, operation: &'static str, path: String, call: F) -> Call<T>
    where
        T: Send + 'static,
        F: FnOnce(VolumeId, String, anchorbrowser_api::Client) -> R + Send + 'static,
        R: Future<Output = Result<anchorbrowser_api::ResponseValue<T>>> + Send + 'static,
    {
        if let Err(error) = self.check(operation, "path", &path) {
            return Call::refused(error);
        }
        let volume = self.volume.clone();
        Call::new(&self.client, move |api| call(volume, path, api))
    }

    /// Refuses an empty path: it would stand for the whole volume.
    pub(super) fn check(&self, operation: &'static str, field: &str, path: &str) -> Result<()> {
        if self.client.checks() && path.trim_matches('/').is_empty() {
            let message = format!("`{field}` must name something in the volume");
            return Err(Error::invalid(operation, message));
        }
        Ok(())
    }
}

/// What is known of a file in a volume.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VolumeFile {
    /// Its path in the volume.
    pub path: String,
    /// Its length in bytes.
    pub size: Option<u64>,
    /// Changes with its content.
    pub etag: Option<String>,
    /// Its media type.
    pub content_type: Option<String>,
    /// When it was changed last.
    pub modified_at: Option<Timestamp>,
}

impl VolumeFile {
    /// What the API tells of the file at a path.
    pub(super) fn new(sent: types::VolumeFileInfoSchema, path: String) -> Self {
        Self {
            path: sent.path.unwrap_or(path),
            size: sent.size.and_then(|size| size.try_into().ok()),
            etag: sent.etag,
            content_type: sent.content_type,
            modified_at: sent.last_modified,
        }
    }
}
