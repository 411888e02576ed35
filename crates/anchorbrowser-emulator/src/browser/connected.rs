//! Clients that are connected to the browser of a session: while there is one, the session is not idle.

use std::sync::Arc;

use super::SessionBrowser;
use crate::answer::Refusal;
use crate::resources::sessions;
use crate::shared::Shared;

/// A session that a client is connected to, until this is dropped.
pub(super) struct Connected {
    shared: Arc<Shared>,
    session: String,
}

impl Connected {
    /// Connects a client to a session that runs, and gives its browser.
    pub(super) fn new(
        shared: &Arc<Shared>,
        session: &str,
    ) -> Result<(SessionBrowser, Self), Refusal> {
        let browser = shared.enter(|world| {
            sessions::must_run(world, session)?;
            let browser = world.browsers.get(session);
            let none = || Refusal::new(501, "the session has no browser to connect to");
            let browser = browser.ok_or_else(none)?;
            sessions::connected(world, session);
            Ok::<_, Refusal>(browser)
        })??;
        let connected = Self {
            shared: Arc::clone(shared),
            session: session.to_owned(),
        };
        Ok((browser, connected))
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let session = &self.session;
        if let Err(error) = self
            .shared
            .enter(|world| sessions::disconnected(world, session))
        {
            tracing::debug!(%error, "the end of a connection was not noted");
        }
    }
}
