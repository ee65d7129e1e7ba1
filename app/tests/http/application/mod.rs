//! The application over HTTP, as a process of its own.

#[cfg(unix)]
mod folder;
mod forms;
mod launch;
#[cfg(unix)]
mod profiles;
mod sign_in;
/// Well-formed, and nobody's.
const MADE_UP: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
