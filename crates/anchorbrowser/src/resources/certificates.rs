//! Certificates of certification authorities that sessions trust.

use anchorbrowser_api::types;

use super::names;
use crate::call::Call;
use crate::error::{Error, Open as _, Result};
use crate::page::List;
use crate::transfer::Upload;
use crate::{Client, Timestamp};

/// The most characters that a name has.
const NAME: usize = 255;
/// The most characters that a description has.
const DESCRIPTION: usize = 1_000;

/// CA certificates; see [`Client::certificates`].
///
/// They belong to the team. A session that names one trusts the servers that it signed for.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let created = client.certificates().create("staging-ca", "staging-ca.pem").send().await?;
/// client.certificates().delete(created.name).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Certificates<'a> {
    client: &'a Client,
}

impl<'a> Certificates<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Uploads a certificate: a `.pem`, `.crt`, `.der` or `.cer` file, and a name of 1 to 255
    /// letters, digits, `-` and `_`.
    pub fn create(&self, name: impl Into<String>, file: impl Into<Upload>) -> CreateCertificate {
        CreateCertificate {
            client: self.client.clone(),
            name: name.into(),
            file: file.into(),
            description: None,
        }
    }

    /// Lists all certificates of the team.
    ///
    /// Calls `list_certificates`.
    pub fn list(&self) -> List<Certificate> {
        let client = self.client.clone();
        List::new("list_certificates", move || {
            Call::new(&client, move |api| async move {
                let answer = api.list_certificates().send().await?;
                Ok(answer.map(|answer| {
                    let items = answer.data.into_iter();
                    items.map(Certificate::of_list).collect()
                }))
            })
        })
    }

    /// Deletes the certificate of this name. New sessions cannot use it then.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is none of this name.
    ///
    /// Calls `delete_certificate`.
    pub fn delete(&self, name: impl Into<String>) -> Call<()> {
        let name = name.into();
        Call::new(self.client, move |api| async move {
            Ok(api.delete_certificate().name(name).send().await?.map(drop))
        })
    }
}

/// The upload of a certificate; see [`Certificates::create`].
#[derive(Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateCertificate {
    client: Client,
    name: String,
    file: Upload,
    description: Option<String>,
}

impl CreateCertificate {
    /// What it is for: at most 1,000 characters.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Uploads it.
    ///
    /// # Errors
    /// [`is_conflict`](Error::is_conflict) if the name is taken,
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file cannot be read, and a status 400 if
    /// it is no certificate.
    ///
    /// Calls `create_certificate`.
    pub fn send(self) -> Call<Certificate> {
        if self.client.checks()
            && let Err(error) = self.check()
        {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let answer = self.file.send(api, OPERATION, |api, part| {
                let mut body = types::CreateCertificateForm::new(self.name.clone(), part);
                body.description = self.description.clone();
                async move { api.create_certificate().body(body).send().await }
            });
            let answer = answer.await?;
            answer.open("data.name", |answer| {
                let sent = answer.data.take()?;
                sent.name.as_ref()?;
                Some(Certificate::of_list(sent))
            })
        })
    }

    fn check(&self) -> Result<()> {
        names::check(OPERATION, &self.name, NAME)?;
        let description = self.description.as_deref().unwrap_or_default();
        if description.chars().count() > DESCRIPTION {
            let message = format!("`description` must have at most {DESCRIPTION} characters");
            return Err(Error::invalid(OPERATION, message));
        }
        Ok(())
    }
}

const OPERATION: &str = "create_certificate";

/// A CA certificate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Certificate {
    /// Its name, by which sessions and [`Certificates::delete`] refer to it.
    pub name: String,
    /// Its id. No call asks for it.
    pub id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it was uploaded.
    pub created_at: Option<Timestamp>,
}

impl Certificate {
    fn of_list(sent: types::CertificateResponseSchema) -> Self {
        Self {
            name: sent.name.unwrap_or_default(),
            id: sent.id,
            description: sent.description,
            created_at: sent.created_at,
        }
    }
}
