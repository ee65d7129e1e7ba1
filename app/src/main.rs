//! The program of the application.

use std::process::ExitCode;

fn main() -> ExitCode {
    app::run()
}
