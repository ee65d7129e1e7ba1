//! Runs the command line beside the application, on each backend.

mod check;
mod cleanup;
mod list;
mod looking;
pub mod program;
mod revoke;
mod settings;
mod users;
