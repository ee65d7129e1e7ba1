//! Events of sessions and users: each once, in one line, without secrets.

#![cfg(unix)]

mod addresses;
mod hostile;
mod once;
mod outage;
mod site;
