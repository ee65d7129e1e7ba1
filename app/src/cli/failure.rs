//! Why a command did not do what it was asked to, and how its process ends.

use std::io;
use std::process::ExitCode;

use rocket_diesel_session::{Error, ErrorKind};

pub(super) enum CommandFailure {
    Failed(String),
    /// There is no such user, or nothing to end.
    NotFound(String),
    /// The reader of the output has closed it.
    OutputClosed,
}

impl CommandFailure {
    /// What is said about it, in one line whatever a database's client library has put into it.
    pub(super) fn line(&self) -> Option<String> {
        match self {
            Self::Failed(why) | Self::NotFound(why) => {
                Some(why.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            Self::OutputClosed => None,
        }
    }

    /// 2 is what wrong usage has.
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
            ErrorKind::Unavailable => "; see that the database runs, and try again",
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
