//! Browser extensions.

use anchorbrowser_api::types;

use super::names;
use crate::call::Call;
use crate::error::Open as _;
use crate::page::List;
use crate::transfer::Upload;
use crate::{Client, ExtensionId, Timestamp};

pub use types::ExtensionManifest as Manifest;

/// The most characters that a name has.
const NAME: usize = 255;

/// Browser extensions; see [`Client::extensions`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let extension = client.extensions().upload("blocker", "blocker.zip").await?;
/// let session = client.sessions().create().extension(&extension.id).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Extensions<'a> {
    client: &'a Client,
}

impl<'a> Extensions<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Uploads an extension: a ZIP archive with its `manifest.json`, and a name of 1 to 255
    /// characters.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file cannot be read, and a status 400 if
    /// the service does not take the extension.
    ///
    /// Calls `upload_extension`.
    pub fn upload(&self, name: impl Into<String>, file: impl Into<Upload>) -> Call<Extension> {
        const OPERATION: &str = "upload_extension";
        let (name, file) = (name.into(), file.into());
        if self.client.checks()
            && let Err(error) = names::check_length(OPERATION, &name, NAME)
        {
            return Call::refused(error);
        }
        Call::new(self.client, move |api| async move {
            let answer = file.send(api, OPERATION, |api, part| {
                let body = types::UploadExtensionForm::new(name.clone(), part);
                async move { api.upload_extension().body(body).send().await }
            });
            let answer = answer.await?;
            answer.open("data.id", |answer| Extension::new(answer.data.take()?))
        })
    }

    /// Gets an extension.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id.
    ///
    /// Calls `get_extension`.
    pub fn get(&self, id: impl Into<ExtensionId>) -> Call<Extension> {
        use types::GetExtensionResponse as Sent;
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.get_extension().id(id).send().await?;
            answer.open("id", |answer| match answer {
                Sent::ExtensionResponseSchema(extension) => {
                    Extension::new(std::mem::take(extension))
                }
                Sent::ExtensionResponse(wrapped) => Extension::new(wrapped.data.take()?),
                _ => None,
            })
        })
    }

    /// Lists all extensions.
    ///
    /// Calls `list_extensions`.
    pub fn list(&self) -> List<Extension> {
        let client = self.client.clone();
        List::new("list_extensions", move || {
            Call::new(&client, move |api| async move {
                let answer = api.list_extensions().send().await?;
                Ok(answer.map(|answer| {
                    let items = answer.data.into_iter();
                    items.map(Extension::of_list).collect()
                }))
            })
        })
    }

    /// Deletes an extension.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id.
    ///
    /// Calls `delete_extension`.
    pub fn delete(&self, id: impl Into<ExtensionId>) -> Call<()> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            Ok(api.delete_extension().id(id).send().await?.map(drop))
        })
    }
}

/// A browser extension.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Extension {
    /// Its id, by which sessions refer to it.
    pub id: ExtensionId,
    /// What it is called.
    pub name: Option<String>,
    /// What its archive says of itself.
    pub manifest: Option<Manifest>,
    /// When it was uploaded.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl Extension {
    fn new(sent: types::ExtensionResponseSchema) -> Option<Self> {
        sent.id.as_ref()?;
        Some(Self::of_list(sent))
    }

    fn of_list(sent: types::ExtensionResponseSchema) -> Self {
        Self {
            id: sent.id.unwrap_or_default().into(),
            name: sent.name,
            manifest: sent.manifest,
            created_at: sent.created_at,
            updated_at: sent.updated_at,
        }
    }
}
