//! The resources of the API, one module each.

pub mod agent;
pub mod agent_access;
pub mod applications;
pub mod batch_sessions;
pub mod billing;
pub mod certificates;
mod deletion;
pub mod events;
pub mod extensions;
pub mod identities;
pub mod integrations;
mod names;
mod paging;
pub mod profiles;
pub mod recordings;
pub mod sessions;
pub mod tasks;
pub mod tasks_legacy;
pub mod tools;
pub mod volumes;
pub mod webhooks;

pub use sessions::Proxy;
