//! Runs work on a connection, again where it is known not to have happened.

use std::time::Duration;

use diesel::QueryResult;
use diesel::result::Error as DieselError;

use super::Connections;
use super::error_class::Fault;
use crate::error::{Error, ErrorKind};
use crate::store::pool::Idempotent;

const ATTEMPTS: u32 = 3;

/// Does `work` on a connection, again where it is known not to have happened.
pub(crate) fn run<C, T>(
    pool: &impl Connections<C>,
    idempotent: Idempotent,
    mut work: impl FnMut(&mut C) -> QueryResult<T>,
) -> Result<T, Error> {
    let mut attempt = 1;
    loop {
        let mut lease = pool.checkout().map_err(|cause| {
            Error::unavailable("the database gives no connection").with_source(cause)
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
        let undone = matches!(fault, Fault::NotSent | Fault::RolledBack | Fault::Outdated);
        let repeatable = undone || fault == Fault::Lost && idempotent == Idempotent::Yes;
        if attempt == ATTEMPTS || !repeatable || !pool.has_others() {
            return Err(failure(error));
        }
        std::thread::sleep(Duration::from_micros(fastrand::u64(
            ..2_000 * u64::from(attempt),
        )));
        attempt += 1;
    }
}

/// Whether the database undid a statement for the sake of another one.
pub(crate) fn is_rolled_back(error: &DieselError) -> bool {
    Fault::of(error) == Fault::RolledBack
}

fn failure(error: DieselError) -> Error {
    if matches!(error, DieselError::RollbackTransaction) {
        let message = "the application called its transaction off, and nothing of it was kept";
        return Error::new(ErrorKind::RolledBack, message);
    }
    if is_too_large(&error) {
        let message = "the database does not take a value this large";
        return Error::new(ErrorKind::TooLarge, message).with_source(error);
    }
    Error::unavailable("the database did not do what it was asked").with_source(error)
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
