//! Identifiers: text, kept apart by type.

/// Writes a newtype for an identifier.
///
/// The API's identifiers are mostly UUIDs, but not all are, so any text is taken. What cannot be
/// part of a path is refused when a call is sent.
macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The identifier as text.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        /// An id is found in a map by its text.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(text.into())
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                Self(text.clone())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// Identifies a session.
    SessionId,
    /// Identifies the asynchronous start of a session.
    RequestId,
    /// Identifies a batch of sessions.
    BatchId,
    /// Identifies a recording of a session.
    RecordingId,
    /// Identifies a file that a session's browser downloaded.
    DownloadId,
    /// Identifies a page (a tab) of a session's browser.
    PageId,
    /// Identifies a run of an agent, started by `perform_web_task`.
    WorkflowId,
    /// Identifies a question of an agent to a person.
    InterventionId,
    /// Identifies a task.
    TaskId,
    /// Identifies a run of a task.
    RunId,
    /// Identifies an execution of a legacy task.
    ExecutionId,
    /// Identifies an application.
    ApplicationId,
    /// Identifies an auth flow of an application.
    AuthFlowId,
    /// Identifies an identity.
    IdentityId,
    /// Identifies an integration.
    IntegrationId,
    /// Identifies an extension.
    ExtensionId,
    /// Identifies a webhook.
    WebhookId,
    /// Identifies an event that a webhook delivers.
    EventId,
    /// Identifies one delivery of an event to a webhook.
    DeliveryId,
    /// Identifies a volume.
    VolumeId,
    /// Identifies a project of the account.
    ProjectId,
    /// Identifies a team.
    TeamId,
}
