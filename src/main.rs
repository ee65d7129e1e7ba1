//! The application that shows the sessions: register, sign in, guarded pages, sign out; and the
//! command line that looks after them.

mod app;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(command) = app::commands::asked() {
        return app::commands::run(command);
    }
    // As `#[launch]` does it: an error that nobody looked at tells of itself when it is dropped.
    drop(rocket::execute(app::rocket().launch()));
    ExitCode::SUCCESS
}
