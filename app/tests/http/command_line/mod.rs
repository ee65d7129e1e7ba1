//! The command line, as a process of its own beside the application and on each backend.

mod check;
mod cleanup;
mod list;
mod looking;
pub mod program;
mod revoke;
mod settings;
mod users;
