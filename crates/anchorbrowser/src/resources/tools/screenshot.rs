use std::time::Duration;

use anchorbrowser_api::{Needs, types};

use crate::call::Call;
use crate::error::Error;
use crate::macros::set;
use crate::timing::millis;
use crate::transfer::Download;
use crate::{Client, Secret, SessionId};

/// What loading the page gets beside the wait that was asked for.
const LOADING: Duration = Duration::from_secs(120);

/// A screenshot of a page; see [`Tools::screenshot`](super::Tools::screenshot).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Screenshot {
    client: Client,
    session: Option<SessionId>,
    wait: Option<Duration>,
    body: types::ScreenshotRequestSchema,
}

impl Screenshot {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            session: None,
            wait: None,
            body: Default::default(),
        }
    }

    pub(super) fn url(mut self, url: impl Into<String>) -> Self {
        self.body.url = Some(url.into());
        self
    }

    /// Uses the browser of this session.
    pub fn session(mut self, id: impl Into<SessionId>) -> Self {
        self.session = Some(id.into());
        self
    }

    /// The width of the viewport, in pixels.
    pub fn width(mut self, pixels: u32) -> Self {
        self.body.width = Some(pixels.into());
        self
    }

    /// The height of the viewport, in pixels.
    pub fn height(mut self, pixels: u32) -> Self {
        self.body.height = Some(pixels.into());
        self
    }

    /// The quality of the image, from 1 to 100, which is without compression.
    pub fn image_quality(mut self, quality: u8) -> Self {
        self.body.image_quality = Some(quality.into());
        self
    }

    /// How long to wait after the page is loaded, in whole milliseconds: for animations.
    pub fn wait(mut self, time: Duration) -> Self {
        self.wait = Some(time);
        self
    }

    /// Whether to scroll through the page first, so that all content is there.
    pub fn scroll_all_content(mut self, on: bool) -> Self {
        self.body.scroll_all_content = Some(on);
        self
    }

    /// Whether the image has the height of the whole page, not of the viewport.
    pub fn capture_full_height(mut self, on: bool) -> Self {
        self.body.capture_full_height = Some(on);
        self
    }

    /// A presigned S3 URL that the service uploads the image to.
    pub fn s3_target_address(mut self, url: impl Into<Secret>) -> Self {
        self.body.s3_target_address = Some(url.into());
        self
    }

    /// Takes the screenshot: a PNG image. It gets two minutes at least, beside
    /// [`wait`](Self::wait).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the quality is out of
    /// range, and what any call may fail with.
    ///
    /// Calls `screenshot_webpage`.
    pub fn send(mut self) -> Call<Download> {
        let quality = self.body.image_quality;
        if self.client.checks() && quality.is_some_and(|it| !(1..=100).contains(&it)) {
            let message = "`image_quality` must be from 1 to 100";
            return Call::refused(Error::invalid("screenshot_webpage", message));
        }
        self.body.wait = self.wait.map(millis);
        let client = self.client.needing(Needs {
            at_least: self.wait.map(|time| time.saturating_add(LOADING)),
            ..Needs::default()
        });
        Download::of(Call::new(&client, move |api| async move {
            let mut call = api.screenshot_webpage().body(self.body);
            set!(call, session_id: self.session);
            Ok(call.send().await?)
        }))
    }
}
