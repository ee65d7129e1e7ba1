//! Events of sessions and users: each thing once, in a line that anybody can read and that
//! gives nothing away.

#![cfg(unix)]

mod addresses;
mod hostile;
mod once;
mod outage;
mod site;
