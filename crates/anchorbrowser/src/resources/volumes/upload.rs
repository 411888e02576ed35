//! Uploads to a volume: small ones in a form, large ones by a URL of the storage.

use anchorbrowser_api::types;

use super::{VolumeFile, VolumeFiles, boolean};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Open as _, Result};
use crate::transfer::Upload;

/// The most bytes of an upload in a form, 10 MB in the widest sense.
const SMALL: u64 = 10 << 20;
/// The most bytes of an upload by a URL, 5 GB in the widest sense.
const LARGE: u64 = 5 << 30;

const TO_LARGE: &str = "use `upload_large`, which takes up to 5 GB";

/// The upload of a file of at most 10 MB; see [`VolumeFiles::upload`].
#[derive(Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UploadFile {
    files: VolumeFiles,
    path: String,
    file: Upload,
    overwrite: Option<bool>,
}

impl UploadFile {
    pub(super) fn new(files: VolumeFiles, path: String, file: Upload) -> Self {
        Self {
            files,
            path,
            file,
            overwrite: None,
        }
    }

    /// Whether a file that is there is replaced; default no.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = Some(overwrite);
        self
    }

    /// Uploads it.
    ///
    /// # Errors
    /// [`is_conflict`](Error::is_conflict) if there is a file at the path,
    /// [`ErrorKind::InvalidArgument`] or a status 413 if the file is too large,
    /// [`ErrorKind::File`] if it cannot be read.
    ///
    /// Calls `upload_volume_file`.
    pub fn send(self) -> Call<VolumeFile> {
        const OPERATION: &str = "upload_volume_file";
        let Self {
            files,
            path,
            mut file,
            overwrite,
        } = self;
        if let Err(error) = files.check(OPERATION, "path", &path) {
            return Call::refused(error);
        }
        Call::new(&files.client.clone(), move |api| async move {
            if files.client.checks() {
                check_size(OPERATION, file.length(OPERATION).await?, SMALL, TO_LARGE)?;
            }
            let answer = file.send(api, OPERATION, |api, part| {
                let mut body = types::UploadVolumeFileForm::new(part);
                body.path = Some(path.clone());
                body.overwrite = overwrite.map(boolean);
                let volume = files.volume.clone();
                async move {
                    api.upload_volume_file()
                        .volume_id(volume)
                        .body(body)
                        .send()
                        .await
                }
            });
            let answer = answer.await.map_err(|error| match error.status() {
                Some(status) if status.as_u16() == 413 => error.with_hint(TO_LARGE),
                _ => error,
            })?;
            answer.open("data", |answer| {
                Some(VolumeFile::new(answer.data.take()?, path))
            })
        })
    }
}

/// Asks for a URL, and puts the file there.
pub(super) fn upload_large(files: &VolumeFiles, path: String, mut file: Upload) -> Call<()> {
    const OPERATION: &str = "upload_url";
    let files = files.clone();
    Call::from_future(async move {
        let size = file.length(OPERATION).await?;
        if files.client.checks() {
            check_size(OPERATION, size, LARGE, "divide it")?;
        }
        let mut request = files.upload_url(path).size(size);
        if let Some(media_type) = file.media_type() {
            request = request.content_type(media_type);
        }
        let link = request.send().await?;
        if !link.method.eq_ignore_ascii_case("PUT") {
            let message = "the URL is to be used by another method than `PUT`; use `upload_url`, \
                           and send the file by that method";
            return Err(Error::new(ErrorKind::Decode, message).of("create_upload_url"));
        }
        let call = Call::new(&files.client, move |api| async move {
            let headers = link.headers.iter();
            let headers = headers.map(|(name, value)| (name.clone(), value.expose().to_owned()));
            let (url, headers): (_, Vec<_>) = (link.url, headers.collect());
            let answer = file.send(api, OPERATION, |api, part| {
                let (url, headers) = (url.clone(), headers.clone());
                async move { api.upload_url(url.expose(), &headers, part).await }
            });
            answer.await
        });
        call.with_meta().await
    })
}

fn check_size(operation: &'static str, size: u64, most: u64, hint: &str) -> Result<()> {
    if size <= most {
        return Ok(());
    }
    let message = format!("the file has {size} bytes, and at most {most} are allowed; {hint}");
    Err(Error::invalid(operation, message))
}
