//! The application that shows the sessions: register, sign in, guarded pages, sign out; and the
//! command line that looks after them.

mod app;
mod launch;

use std::process::ExitCode;

fn main() -> ExitCode {
    match app::commands::asked() {
        Some(command) => app::commands::run(command),
        None => launch::launch(app::rocket()),
    }
}
