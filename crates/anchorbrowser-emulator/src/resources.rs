//! What has state: one file per resource, each with its records and its handlers.

use crate::answer::Outcome;
use crate::call::Call;
use crate::world::{Record, Table, Timers, World};

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

macro_rules! resources {
    ($($name:ident,)*) => {
        $(pub(crate) mod $name;)*

        const ROUTES: &[Routes] = &[$($name::ROUTES),*];
    };
}

resources! {
    agent_access,
    agents,
    applications,
    async_sessions,
    batches,
    billing,
    control,
    events,
    extensions,
    history,
    identities,
    integrations,
    interventions,
    logins,
    profiles,
    recordings,
    session_files,
    sessions,
    tasks,
    tasks_v2,
    tools,
    volumes,
    webhooks,
}

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
    keyboards: control::Keyboard,
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

/// Fields of a page of a list: the items, and what the whole has.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) number: usize,
    pub(crate) pages: usize,
    pub(crate) total: usize,
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
