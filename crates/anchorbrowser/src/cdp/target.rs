//! Targets: pages and whatever else a browser has.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::command::Command;
use super::connection::{CdpConnection, answered};
use super::events::CdpEvents;
use crate::call::Call;

/// A target, such as a page, that a connection is attached to; see [`CdpConnection::attach`].
///
/// It is cheap to clone. Dropping the last clone detaches from the target, which stays open.
#[derive(Clone)]
pub struct CdpTarget(Arc<Attached>);

/// A flat session: the target's part of a connection.
pub(super) struct Attached {
    connection: CdpConnection,
    target_id: String,
    session_id: String,
}

impl Attached {
    pub(super) fn session_id(&self) -> &str {
        &self.session_id
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // The answer is not waited for.
        let params = json!({ "sessionId": self.session_id });
        drop(
            self.connection
                .submit("Target.detachFromTarget", &params, None),
        );
    }
}

impl CdpTarget {
    pub(super) fn attach(connection: &CdpConnection, target_id: String) -> Call<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Given {
            session_id: String,
        }

        let params = json!({ "targetId": target_id, "flatten": true });
        let attach = connection.send("Target.attachToTarget", params);
        let connection = connection.clone();
        answered(async move {
            let given = attach.output_as::<Given>().await?;
            Ok(Self(Arc::new(Attached {
                connection,
                target_id,
                session_id: given.session_id,
            })))
        })
    }

    /// A command to the target; otherwise as [`CdpConnection::send`].
    pub fn send(&self, method: impl Into<String>, params: impl Serialize) -> Command {
        let params = serde_json::to_value(params);
        let target = Some(self.0.clone());
        Command::new(&self.0.connection, target, method.into(), params)
    }

    /// The events of this target from now on.
    pub fn events(&self) -> CdpEvents {
        let session_id = Some(self.0.session_id.clone());
        let queue = self.0.connection.subscribe(session_id);
        CdpEvents::new(queue, &self.0.connection, Some(self.0.clone()))
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.0.target_id
    }

    /// The id of the flat session, which events of the connection name.
    pub fn session_id(&self) -> &str {
        &self.0.session_id
    }

    /// The connection that it is attached by.
    pub fn connection(&self) -> &CdpConnection {
        &self.0.connection
    }
}

impl fmt::Debug for CdpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CdpTarget")
            .field("id", &self.0.target_id)
            .field("connection", &self.0.connection)
            .finish_non_exhaustive()
    }
}
