//! Browsers for one request, and pages that are gone to without waiting.

use std::sync::Arc;

use super::{Browsers, Open, Page, SessionBrowser, Settings};
use crate::answer::Refusal;

/// What a browser is called that belongs to no session.
const NAME: &str = "borrowed";

/// A browser that something is to be done in: that of a session, or a borrowed one, which ends when this is dropped.
pub(crate) struct Workplace {
    browser: SessionBrowser,
    _borrowed: Option<(Open, Arc<()>)>,
}

impl Workplace {
    /// The page in front.
    pub(crate) async fn page(&self) -> Result<Page, Refusal> {
        self.browser.page().await
    }
}

impl From<SessionBrowser> for Workplace {
    fn from(browser: SessionBrowser) -> Self {
        Self {
            browser,
            _borrowed: None,
        }
    }
}

impl Browsers {
    /// A browser of its own for one request, if there are browsers. It has what a session without settings has, and
    /// keeps nothing.
    pub(crate) fn borrow(&self, viewport: (u32, u32)) -> Option<Workplace> {
        let starter = self.starter.as_ref()?;
        let open = starter.start(NAME, Settings::borrowed(viewport), Vec::new());
        Some(Workplace {
            browser: open.browser.clone(),
            _borrowed: Some((open, Arc::clone(&self.borrowed))),
        })
    }

    /// How many are borrowed now.
    pub(crate) fn borrowed(&self) -> usize {
        Arc::strong_count(&self.borrowed) - 1
    }

    /// Has the page in front of a session go to a URL, which is not waited for. Says whether there is a browser for it.
    pub(crate) fn visit(&self, session: &str, url: &str) -> bool {
        let Some((starter, browser)) = self.starter.as_ref().zip(self.get(session)) else {
            return false;
        };
        let url = url.to_owned();
        starter.runtime.spawn(async move {
            let gone = async { browser.page().await?.goto(&url).await };
            if let Err(refusal) = gone.await {
                tracing::debug!(why = refusal.message, "a page was not opened");
            }
        });
        true
    }
}
