//! Maps the failures of a command to a line and an exit code.

use std::io;
use std::process::ExitCode;

use rocket_diesel_session::{Error, ErrorKind};

pub(super) enum CommandFailure {
    Failed(String),
    /// There is no such user, or no session to end.
    NotFound(String),
    /// The reader has closed the output.
    OutputClosed,
}

impl CommandFailure {
    /// Returns the text as one line, even if a database library put line ends into it.
    pub(super) fn line(&self) -> Option<String> {
        match self {
            Self::Failed(why) | Self::NotFound(why) => {
                Some(why.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            Self::OutputClosed => None,
        }
    }

    /// Returns the exit code. 2 is taken: clap uses it for wrong usage.
    pub(super) fn code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::NotFound(_) => ExitCode::from(3),
            Self::OutputClosed => ExitCode::SUCCESS,
        }
    }
}

impl From<Error> for CommandFailure {
    fn from(error: Error) -> Self {
        let remedy = match error.kind() {
            ErrorKind::Unavailable => "; check that the database runs, then try again",
            _ => "",
        };
        Self::Failed(format!("{error}{remedy}"))
    }
}

impl From<io::Error> for CommandFailure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Failed(format!("the answer cannot be written: {error}")),
        }
    }
}
