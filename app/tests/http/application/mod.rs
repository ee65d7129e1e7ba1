//! Runs the application as a process and uses it over HTTP.

#[cfg(unix)]
mod folder;
mod forms;
mod launch;
#[cfg(unix)]
mod profiles;
mod sign_in;
/// A well-formed token that no session has.
const MADE_UP: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
