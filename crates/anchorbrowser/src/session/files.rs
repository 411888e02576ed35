//! Files of a session: what it is given, what it downloads, what it looks like.

use std::time::Duration;

use anchorbrowser_api::types;

use super::Session;
use crate::call::Call;
use crate::error::Open as _;
use crate::page::List;
use crate::recordings::SessionRecordings;
use crate::transfer::{Download, Upload};
use crate::{DownloadId, Secret, Timestamp};

impl Session {
    /// Puts a file into the session's directory for uploads, where file inputs of pages and
    /// drivers can use it. Gives what the service says about it.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file cannot be read,
    /// [`is_not_found`](crate::Error::is_not_found), and a status 400 if the file is too large.
    ///
    /// Calls `upload_session_file`.
    pub fn upload(&self, file: impl Into<Upload>) -> Call<Option<String>> {
        const OPERATION: &str = "upload_session_file";
        let (id, file) = (self.id.clone(), file.into());
        Call::new(&self.client, move |api| async move {
            let answer = file.send(api, OPERATION, |api, part| {
                let id = id.clone();
                async move {
                    let body = types::UploadSessionFileForm::new(part);
                    api.upload_session_file()
                        .session_id(id)
                        .body(body)
                        .send()
                        .await
                }
            });
            Ok(answer.await?.map(|answer| answer.data?.message))
        })
    }

    /// Lists the files that the session's browser downloaded, also when the session has ended.
    ///
    /// ```no_run
    /// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
    /// for file in session.downloads().send().await? {
    ///     let path = session.download(&file).await?.save_in("downloads").await?;
    ///     println!("{}", path.display());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such session, or nothing is known of
    /// its downloads.
    ///
    /// Calls `get_session_downloads`.
    pub fn downloads(&self) -> List<DownloadedFile> {
        let session = self.clone();
        List::new("get_session_downloads", move || {
            let id = session.id.clone();
            Call::new(&session.client, move |api| async move {
                let answer = api.get_session_downloads().session_id(id).send().await?;
                answer.open("data.items", |answer| {
                    let items = answer.data.take()?.items;
                    Some(items.into_iter().map(DownloadedFile::new).collect())
                })
            })
        })
    }

    /// Fetches a file that the session's browser downloaded. The key is sent if the file lies with
    /// the API itself, and to no other server.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the API told no link.
    pub fn download(&self, file: &DownloadedFile) -> Call<Download> {
        Download::linked(&self.client, file.link.as_ref(), file.file_name.as_deref())
    }

    /// The recordings of this session.
    pub fn recordings(&self) -> SessionRecordings {
        SessionRecordings::new(&self.client, self.id.clone())
    }

    /// Takes a picture of what the browser shows, as PNG.
    ///
    /// ```no_run
    /// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
    /// session.screenshot().await?.save_to("page.png").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Calls `get_session_screenshot`.
    pub fn screenshot(&self) -> Call<Download> {
        let id = self.id.clone();
        let call = Call::new(&self.client, move |api| async move {
            Ok(api.get_session_screenshot().session_id(id).send().await?)
        });
        Download::of(call).and_then(|download| Ok(download.named("screenshot.png")))
    }
}

/// A file that a session's browser downloaded; see [`Session::downloads`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadedFile {
    /// Its id.
    pub id: DownloadId,
    /// The name to save it under.
    pub file_name: Option<String>,
    /// The name that the site gave it.
    pub original_file_name: Option<String>,
    /// Its length in bytes.
    pub size: Option<u64>,
    /// Where [`Session::download`] fetches it.
    pub link: Option<Secret>,
    /// Where the browser downloaded it. It may hold a secret, as signed URLs do.
    pub source_url: Option<Secret>,
    /// Where it was found. It may hold a secret.
    pub origin_url: Option<Secret>,
    /// How long the browser took for it.
    pub duration: Option<Duration>,
    /// When it was noted.
    pub created_at: Option<Timestamp>,
}

impl DownloadedFile {
    fn new(item: types::DownloadItem) -> Self {
        Self {
            id: item.id.unwrap_or_default().into(),
            file_name: item.suggested_file_name,
            original_file_name: item.original_file_name,
            size: item.size.and_then(|size| size.try_into().ok()),
            link: item.file_link.map(Secret::from),
            source_url: item.original_download_url.map(Secret::from),
            origin_url: item.origin_url.map(Secret::from),
            duration: item
                .duration
                .and_then(|millis| Some(Duration::from_millis(millis.try_into().ok()?))),
            created_at: item.created_at,
        }
    }
}
