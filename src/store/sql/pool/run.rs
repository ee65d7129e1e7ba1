//! Runs work on a connection, and retries it if that is safe.

use std::time::Duration;

use diesel::QueryResult;
use diesel::result::Error as DieselError;

use super::ConnectionSource;
use super::error_class::Fault;
use crate::error::{Effect, Error, ErrorKind};
use crate::store::pool::Idempotent;

const ATTEMPTS: u32 = 3;

/// Runs `work` on a connection, and retries it if it had no effect or is idempotent.
pub(crate) fn run<C, T>(
    pool: &(impl ConnectionSource<C> + ?Sized),
    idempotent: Idempotent,
    mut work: impl FnMut(&mut C) -> QueryResult<T>,
) -> Result<T, Error> {
    let mut attempt = 1;
    loop {
        let mut lease = pool.checkout().map_err(|cause| {
            Error::unavailable("no database connection is available").with_source(cause)
        })?;
        lease.check().map_err(Error::unavailable)?;
        let done = work(&mut lease);
        lease.check().map_err(Error::unavailable)?;
        let error = match done {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let fault = Fault::of(&error);
        match fault {
            Fault::NotSent | Fault::Lost => lease.discard(),
            Fault::Outdated => lease.discard_all(),
            Fault::RolledBack | Fault::Other => {}
        }
        drop(lease);
        let repeatable = match fault {
            Fault::NotSent | Fault::Outdated => true,
            Fault::RolledBack => idempotent != Idempotent::Batch,
            Fault::Lost => idempotent == Idempotent::Yes,
            Fault::Other => false,
        };
        if !pool.has_others() {
            return Err(failure(error));
        }
        if attempt == ATTEMPTS || !repeatable {
            return Err(failure(error).with_effect(effect(fault, idempotent)));
        }
        std::thread::sleep(Duration::from_micros(fastrand::u64(
            ..2_000 * u64::from(attempt),
        )));
        attempt += 1;
    }
}

pub(super) fn effect(fault: Fault, idempotent: Idempotent) -> Effect {
    match (fault, idempotent) {
        (_, Idempotent::Yes) => Effect::Final,
        (Fault::Lost, _) => Effect::Unknown,
        (_, Idempotent::Batch) => Effect::Undone,
        (_, Idempotent::No) => Effect::Final,
    }
}

/// Returns `true` if the connection was lost, or its server takes no statements.
#[cfg(feature = "mysql")]
pub(crate) fn is_disconnected(error: &DieselError) -> bool {
    matches!(Fault::of(error), Fault::NotSent | Fault::Lost)
}

/// Returns `true` if the database rolled a statement back, for example after a deadlock.
pub(crate) fn is_rolled_back(error: &DieselError) -> bool {
    Fault::of(error) == Fault::RolledBack
}

pub(super) fn failure(error: DieselError) -> Error {
    if matches!(error, DieselError::RollbackTransaction) {
        let message = "the application rolled its transaction back";
        return Error::new(ErrorKind::RolledBack, message);
    }
    if is_too_large(&error) {
        let message = "the database does not accept a value this large";
        return Error::new(ErrorKind::TooLarge, message).with_source(error);
    }
    Error::unavailable("the database query failed").with_source(error)
}

/// 1153 and 1406 of MySQL and MariaDB; 22001 of PostgreSQL; SQLite's 18.
fn is_too_large(error: &DieselError) -> bool {
    let texts = [
        "Got a packet bigger than",
        "Data too long for column",
        "value too long for type",
        "string or blob too big",
    ];
    let DieselError::DatabaseError(_, information) = error else {
        return false;
    };
    texts
        .iter()
        .any(|text| information.message().contains(text))
}
