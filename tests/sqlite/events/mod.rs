//! Events of sessions and users: each once, in one line, without secrets.

#![cfg(unix)]

mod addresses;
mod bearer;
mod hostile;
mod once;
mod outage;
mod site;
