//! What has state: one file per resource, each with its records and its handlers.

mod secret;

pub(crate) mod agent_access;
pub(crate) mod agents;
pub(crate) mod applications;
pub(crate) mod async_sessions;
pub(crate) mod batches;
pub(crate) mod billing;
pub(crate) mod control;
pub(crate) mod events;
pub(crate) mod extensions;
pub(crate) mod history;
pub(crate) mod identities;
pub(crate) mod integrations;
pub(crate) mod interventions;
pub(crate) mod logins;
pub(crate) mod profiles;
pub(crate) mod recordings;
pub(crate) mod session_files;
pub(crate) mod sessions;
pub(crate) mod tasks;
pub(crate) mod tasks_v2;
pub(crate) mod tools;
pub(crate) mod volumes;
pub(crate) mod webhooks;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::world::{Record, Table, Timers, World, hex};

use secret::Secret;

/// Answers a request to one operation.
pub(crate) type Handler = fn(&mut World, &Call<'_>) -> Outcome;

/// Operations of a resource, as `METHOD /path` of the document, and who answers them.
pub(crate) type Routes = &'static [(&'static str, Handler)];

/// Does something with the table of every kind.
pub(crate) trait Visitor {
    type Error;

    fn table<T: Record>(&mut self, table: &mut Table<T>) -> Result<(), Self::Error>;
}

macro_rules! tables {
    ($($name:ident: $record:ty,)*) => {
        /// The table of every kind.
        #[derive(Default)]
        pub(crate) struct Tables {
            $(pub(crate) $name: Table<$record>,)*
        }

        impl Tables {
            pub(crate) fn visit<V: Visitor>(&mut self, visitor: &mut V) -> Result<(), V::Error> {
                $(visitor.table(&mut self.$name)?;)*
                Ok(())
            }

            pub(crate) fn schedule(&mut self, timers: &mut Timers) {
                $(self.$name.schedule(timers);)*
            }

            pub(crate) fn stored(&mut self) {
                $(self.$name.stored();)*
            }

            pub(crate) fn limit(&mut self, records: usize) {
                $(self.$name.limit(records);)*
            }

            /// Number of records, by kind.
            pub(crate) fn counts(&self) -> Vec<(&'static str, usize)> {
                vec![$((<$record>::KIND, self.$name.len())),*]
            }

            /// Does what is due for a record.
            pub(crate) fn step(world: &mut World, kind: &str, id: &str) {
                match kind {
                    $(<$record>::KIND => <$record>::step(world, id),)*
                    _ => {}
                }
            }
        }
    };
}

/// The operations of all resources.
const ROUTES: &[Routes] = &[
    agent_access::ROUTES,
    agents::ROUTES,
    applications::ROUTES,
    async_sessions::ROUTES,
    batches::ROUTES,
    billing::ROUTES,
    control::ROUTES,
    events::ROUTES,
    extensions::ROUTES,
    history::ROUTES,
    identities::ROUTES,
    integrations::ROUTES,
    interventions::ROUTES,
    logins::ROUTES,
    profiles::ROUTES,
    recordings::ROUTES,
    session_files::ROUTES,
    sessions::ROUTES,
    tasks::ROUTES,
    tasks_v2::ROUTES,
    tools::ROUTES,
    volumes::ROUTES,
    webhooks::ROUTES,
];

tables! {
    applications: applications::Application,
    auth_flows: applications::AuthFlow,
    batch_items: batches::BatchItem,
    batches: batches::Batch,
    certificates: extensions::Certificate,
    challenges: agent_access::Challenge,
    charges: billing::Charge,
    deliveries: webhooks::Delivery,
    downloads: recordings::Download,
    executions: tasks::Execution,
    extensions: extensions::Extension,
    generations: tasks_v2::Generation,
    identities: identities::Identity,
    integrations: integrations::Integration,
    interventions: interventions::Intervention,
    issued_keys: agent_access::IssuedKey,
    links: volumes::Link,
    logins: logins::Login,
    profiles: profiles::Profile,
    rate_windows: billing::RateWindow,
    recordings: recordings::Recording,
    requests: async_sessions::AsyncRequest,
    runs: agents::AgentRun,
    session_files: session_files::SessionFile,
    sessions: sessions::Session,
    signals: events::Signal,
    tasks: tasks::Task,
    volume_files: volumes::VolumeFile,
    volumes: volumes::Volume,
    webhooks: webhooks::Webhook,
}

/// Who answers an operation; without a handler the answer is made from its schema.
pub(crate) fn handler(key: &str) -> Option<Handler> {
    ROUTES
        .iter()
        .copied()
        .flatten()
        .find(|(route, _)| *route == key)
        .map(|(_, handler)| *handler)
}

/// The record `id`, which refusals call `what`; 404 if there is none.
pub(crate) fn find<'t, T: Record>(
    table: &'t Table<T>,
    what: &str,
    id: &str,
) -> Result<&'t T, Refusal> {
    table.get(id).ok_or_else(|| Refusal::missing(what, id))
}

/// The same, to be changed.
pub(crate) fn editable<'t, T: Record>(
    table: &'t mut Table<T>,
    what: &str,
    id: &str,
) -> Result<&'t mut T, Refusal> {
    table.edit(id).ok_or_else(|| Refusal::missing(what, id))
}

/// Refuses a name that has not 1 to `longest` letters, digits, `_` and `-`; in lenient mode any may arrive.
pub(crate) fn check_name(place: &str, name: &str, longest: usize) -> Result<(), Refusal> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=longest).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "{place}: must have 1 to {longest} letters, digits, `_` and `-`"
    )))
}

/// Whether the document has this status for the operation.
pub(crate) fn documents(call: &Call<'_>, status: u16) -> bool {
    let mut answers = call.operation.answers().iter();
    answers.any(|answer| answer.status() == status)
}

/// The answer of lists without pages.
pub(crate) fn listed(items: Vec<Value>) -> Answer {
    Answer::data(json!({ "count": items.len(), "items": items }))
}

/// SHA-256, in hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    hex(&digest)
}

/// Fields of a page of a list: the items, and what the whole has.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) number: usize,
    pub(crate) pages: usize,
    pub(crate) total: usize,
}

impl<T> Page<T> {
    /// What lists of sessions and batches say of a page.
    pub(crate) fn pagination(&self) -> Value {
        json!({
            "current_page": self.number,
            "total_pages": self.pages,
            "total_records": self.total,
            "has_next": self.number < self.pages,
            "has_prev": self.number > 1,
        })
    }
}

/// Page `number`, counted from 1, of `size` items.
pub(crate) fn page<T>(items: Vec<T>, number: usize, size: usize) -> Page<T> {
    let (number, size, total) = (number.max(1), size.max(1), items.len());
    let first = (number - 1).saturating_mul(size);
    let items = items.into_iter().skip(first).take(size).collect();
    Page {
        items,
        number,
        pages: total.div_ceil(size),
        total,
    }
}
