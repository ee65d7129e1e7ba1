//! What an error of Diesel's means for the statement and its connection.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// What an error says about the statement and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection was gone before the statement reached the database.
    NotSent,
    /// The connection was lost, and the statement may have been carried out.
    Lost,
    /// The database undid the statement for the sake of another one.
    RolledBack,
    /// The statement did not happen, and would not on any connection that is as old: its server
    /// takes no writes any more, or its plan is of a table that has changed.
    Outdated,
    Other,
}

impl Fault {
    /// Diesel reports most of MySQL's conditions as `Unknown` and no error number at all, so their
    /// texts decide.
    pub(super) fn of(error: &DieselError) -> Self {
        let DieselError::DatabaseError(kind, information) = error else {
            return match error {
                DieselError::BrokenTransactionManager => Self::Lost,
                DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
                _ => Self::Other,
            };
        };
        let says = |texts: &[&str]| {
            texts
                .iter()
                .any(|text| information.message().contains(text))
        };
        match kind {
            DatabaseErrorKind::SerializationFailure => Self::RolledBack,
            // 25006 of PostgreSQL
            DatabaseErrorKind::ReadOnlyTransaction => Self::Outdated,
            // 1290, 1836 and 1792 of MySQL and MariaDB; SQLite's 8; 0A000 of PostgreSQL
            _ if says(&[
                "read-only option",
                "read-only mode",
                "READ ONLY transaction",
                "attempt to write a readonly database",
                "cached plan must not change result type",
            ]) =>
            {
                Self::Outdated
            }
            // 1213, and 1020 with innodb_snapshot_isolation; 40P01 of PostgreSQL
            DatabaseErrorKind::Unknown
                if says(&[
                    "Deadlock found",
                    "Record has changed since last read",
                    "deadlock detected",
                ]) =>
            {
                Self::RolledBack
            }
            // 2006 of MySQL and MariaDB; libpq
            _ if says(&["erver has gone away", "no connection to the server"]) => Self::NotSent,
            DatabaseErrorKind::ClosedConnection => Self::Lost,
            // 2013; 1927 after a KILL; 1053; 1047 of a Galera node without its cluster
            _ if says(&[
                "Lost connection to",
                "onnection was killed",
                "shutdown in progress",
                "WSREP has not yet",
            ]) =>
            {
                Self::Lost
            }
            _ if says(&[
                "terminating connection",
                "server closed the connection",
                "the database system is",
            ]) =>
            {
                Self::Lost
            }
            _ => Self::Other,
        }
    }
}
