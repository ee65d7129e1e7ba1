//! Uses accounts and their sessions over HTTP, on each backend.

mod addresses;
mod closed;
mod crash;
mod devices;
mod messages;
pub(crate) mod password;
mod remember;
mod rules;
