//! Classifies errors of the database by what must follow.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// The consequence of an error for the statement and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The statement did not reach a database that takes it: the connection is discarded, and the
    /// statement runs on another one.
    NotSent,
    /// The connection was lost, and the statement may have been carried out: the connection is
    /// discarded, and the statement runs again only if that changes nothing.
    Lost,
    /// The database undid the statement in favour of another one: it runs again.
    RolledBack,
    /// The statement did not happen, and would not on any connection that is as old, since its server
    /// takes no writes any more, or its plan is of a table that has changed: all these connections
    /// are discarded, and the statement runs on a new one.
    Outdated,
    /// The database refuses the statement: 503.
    Other,
}

/// Diesel passes on no error number and knows few conditions of MySQL, so the texts decide.
const TEXTS: &[(&str, Fault)] = &[
    // MariaDB and MySQL
    ("read-only option", Fault::Outdated),      // 1290
    ("read-only mode", Fault::Outdated),        // 1836
    ("READ ONLY transaction", Fault::Outdated), // 1792
    ("Deadlock found", Fault::RolledBack),      // 1213
    ("Record has changed since last read", Fault::RolledBack), // 1020
    ("erver has gone away", Fault::NotSent),    // 2006
    ("WSREP has not yet prepared", Fault::NotSent), // 1047 of a node without its cluster
    ("Lost connection to", Fault::Lost),        // 2013
    ("onnection was killed", Fault::Lost),      // 1927
    ("shutdown in progress", Fault::Lost),      // 1053
    // PostgreSQL
    ("cached plan must not change result type", Fault::Outdated), // 0A000
    ("deadlock detected", Fault::RolledBack),                     // 40P01
    ("no connection to the server", Fault::NotSent),
    ("terminating connection", Fault::Lost), // 57P01
    ("server closed the connection", Fault::Lost),
    ("the database system is", Fault::Lost), // 57P03
    // SQLite
    ("attempt to write a readonly database", Fault::Outdated), // 8
];

/// Returns `true` if the text says that a connection was lost.
pub(super) fn is_lost(text: &str) -> bool {
    let mut lost = TEXTS.iter().filter(|(_, fault)| *fault == Fault::Lost);
    lost.any(|(known, _)| text.contains(known))
}

impl Fault {
    pub(super) fn of(error: &DieselError) -> Self {
        let DieselError::DatabaseError(kind, information) = error else {
            return match error {
                DieselError::BrokenTransactionManager => Self::Lost,
                DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
                _ => Self::Other,
            };
        };
        match kind {
            DatabaseErrorKind::SerializationFailure => Self::RolledBack, // 40001
            DatabaseErrorKind::ReadOnlyTransaction => Self::Outdated,    // 25006
            _ => {
                // Of a connection that looks for its tables elsewhere, or of a table that was made since.
                let message = information.message();
                if message.starts_with("relation \"") && message.ends_with("\" does not exist") {
                    return Self::Outdated; // 42P01
                }
                // MariaDB does not say whether it committed.
                if message.starts_with("Got error ") && message.ends_with(" during COMMIT") {
                    return Self::Lost; // 1180
                }
                // Clients may have chosen values and names, which stand in quotes.
                let message = message.split(['\'', '"']).next();
                let says = |text: &str| message.is_some_and(|message| message.contains(text));
                let known = TEXTS.iter().find(|(text, _)| says(text));
                let closed = matches!(kind, DatabaseErrorKind::ClosedConnection);
                let otherwise = if closed { Self::Lost } else { Self::Other };
                known.map_or(otherwise, |(_, fault)| *fault)
            }
        }
    }
}
