//! Shows the sessions in an application: register, sign in, guarded pages, sign out, and a command
//! line for its operators.

mod accounts;
mod cli;
mod db;
#[cfg(any(test, fuzzing))]
#[path = "../../fuzz/src/application.rs"]
pub mod fuzz;
mod metrics;
mod passwords;
pub mod serve;
mod settings;
mod web;

use std::process::ExitCode;

/// Runs the command of the command line, or the server if there is none.
pub fn run() -> ExitCode {
    match cli::command() {
        Some(command) => cli::run(command),
        None => serve::serve(),
    }
}
