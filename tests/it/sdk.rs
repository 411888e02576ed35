//! The SDK against the emulator.

mod agent;
mod agent_access;
mod applications;
mod batch_sessions;
mod billing;
mod blocking;
mod cdp;
mod certificates;
mod checks;
mod classes;
mod client;
mod connections;
mod control;
mod coverage;
mod deliveries;
mod errors;
mod events;
mod extensions;
mod files;
mod identities;
mod integrations;
mod load;
mod logging;
mod methods;
mod owned;
mod profiles;
mod recordings;
mod secrets;
mod sessions;
mod survive;
mod tasks;
mod tasks_legacy;
mod tools;
mod volumes;
mod waiting;
mod walk;
mod webhooks;

use anchorbrowser::{Client, ClientBuilder};
use anchorbrowser_emulator::Emulator;

/// The key of the clients made here. Tests look for it where it must not be.
pub(crate) const KEY: &str = "canary-key-5d20c7";

/// A client of an emulator, with quick repeats.
pub(crate) fn client(emulator: &Emulator) -> Client {
    builder(emulator).build().unwrap()
}

/// A client that leaves it to the server to refuse arguments.
pub(crate) fn unchecked(emulator: &Emulator) -> Client {
    builder(emulator).checks(false).build().unwrap()
}

fn builder(emulator: &Emulator) -> ClientBuilder {
    let ms = std::time::Duration::from_millis;
    let retry = anchorbrowser::RetryPolicy::default().backoff(ms(1), ms(4));
    Client::builder()
        .base_url(emulator.base_url())
        .api_key(KEY)
        .retry(retry)
}
