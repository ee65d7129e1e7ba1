//! What the application does with accounts and their sessions, over HTTP and on each backend.

mod addresses;
mod closed;
mod crash;
mod devices;
mod messages;
pub(crate) mod password;
mod remember;
mod rules;
