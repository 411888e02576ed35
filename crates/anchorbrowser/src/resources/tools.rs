//! Tools that work on a page: fetch, screenshot, PDF, code.

mod code;
mod pdf;
mod screenshot;

use anchorbrowser_api::types;

pub use code::{CodeOutput, ExecuteCode};
pub use pdf::Pdf;
pub use screenshot::Screenshot;

use crate::call::Call;
use crate::transfer::Download;
use crate::{Client, Secret, SessionId};

/// Tools that work on a page; see [`Client::tools`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let page = client.tools().fetch_webpage("https://example.com").send().await?;
/// let image = client.tools().screenshot("https://example.com").capture_full_height(true).send().await?;
/// let pdf = client.tools().pdf("https://example.com").landscape(true).send().await?;
/// let session = client.sessions().create().send().await?;
/// let code = client.tools().execute_code(&session, "return await page.title()").send().await?;
/// println!("{}", code.output);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tools<'a> {
    client: &'a Client,
}

impl<'a> Tools<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Fetches a page through the web unlocker: rendered, without a session, from a stealth browser
    /// behind a residential proxy, with captchas solved.
    pub fn fetch_webpage(&self, url: impl Into<String>) -> FetchWebpage {
        FetchWebpage {
            client: self.client.clone(),
            body: types::WebUnlockerRequestSchema::new(url),
        }
    }

    /// Takes a screenshot of the page at this URL, in a browser of the service's or in a
    /// [`session`](Screenshot::session).
    pub fn screenshot(&self, url: impl Into<String>) -> Screenshot {
        Screenshot::new(self.client).url(url)
    }

    /// Takes a screenshot of the page that a session shows.
    pub fn screenshot_of(&self, session: impl Into<SessionId>) -> Screenshot {
        Screenshot::new(self.client).session(session)
    }

    /// Prints the page at this URL to a PDF, in a browser of the service's or in a
    /// [`session`](Pdf::session).
    pub fn pdf(&self, url: impl Into<String>) -> Pdf {
        Pdf::new(self.client, url.into())
    }

    /// Runs code in a session. It is the body of an asynchronous function in TypeScript; what it
    /// returns is the output.
    pub fn execute_code(
        &self,
        session: impl Into<SessionId>,
        code: impl Into<Secret>,
    ) -> ExecuteCode {
        ExecuteCode::new(self.client, session.into(), code.into())
    }
}

/// Fetching a page; see [`Tools::fetch_webpage`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct FetchWebpage {
    client: Client,
    body: types::WebUnlockerRequestSchema,
}

impl FetchWebpage {
    /// Whether what was loaded until a time limit of the service is an answer; default yes. If not,
    /// the call then fails with status 504.
    pub fn return_partial_on_timeout(mut self, on: bool) -> Self {
        let options = self.body.options.get_or_insert_default();
        options.return_partial_on_timeout = Some(on);
        self
    }

    /// Fetches the page. What comes is of the type that the page has: HTML, PDF, CSV, JSON or other.
    ///
    /// The service takes up to about two minutes; the call gets three. The service bills only for
    /// an answer of status 200, and the call is not repeated if its outcome is unknown.
    ///
    /// # Errors
    /// What any call may fail with; status 422 if the page cannot be fetched, 504 if not in time.
    ///
    /// Calls `fetch_webpage`.
    pub fn send(self) -> Call<Download> {
        Download::of(Call::new(&self.client, move |api| async move {
            Ok(api.fetch_webpage().body(self.body).send().await?)
        }))
    }
}
