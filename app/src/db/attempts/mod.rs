//! Stores the counters of attempts; each change is a compare-and-swap.

pub(crate) mod count;

use std::time::Instant;

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::DatabaseError;
use rocket_diesel_session::{Database, Error};

use self::count::{AttemptCount, FORGOTTEN};
use crate::db::schema::attempts;

/// Compare-and-swap attempts before an error.
const TRIES: usize = 100;

/// Reads counters by their ids.
pub(crate) async fn read(
    database: &Database,
    ids: Vec<String>,
) -> Result<Vec<(String, AttemptCount)>, Error> {
    on!(database, database.run, |connection| {
        attempts::table
            .filter(attempts::id.eq_any(&ids))
            .select((attempts::id, AttemptCount::as_select()))
            .load(connection)
    })
}

/// Replaces a counter by what `next` returns, or deletes it for `None`. Returns the state before.
pub(crate) async fn change<R: Send + 'static>(
    database: &Database,
    id: &str,
    next: impl Fn(AttemptCount, i64) -> Result<Option<AttemptCount>, R> + Send + 'static,
) -> Result<Result<AttemptCount, R>, Error> {
    let id = id.to_owned();
    let (asked_at, start) = (database.now(), Instant::now());
    let changed = on!(database, database.run, |connection| {
        for _ in 0..TRIES {
            let stored: Option<AttemptCount> = attempts::table
                .find(&id)
                .select(AttemptCount::as_select())
                .first(connection)
                .optional()?;
            // The time moves on, so that a concurrent change never lies in the future.
            let now = (asked_at + start.elapsed()).timestamp_millis();
            let before = stored.unwrap_or_default();
            let next = match next(before, now) {
                Ok(next) => next,
                Err(refused) => return Ok(Some(Err(refused))),
            };
            let unchanged = attempts::table
                .find(&id)
                .filter(attempts::failures.eq(before.failures))
                .filter(attempts::under_way.eq(before.under_way))
                .filter(attempts::next_at.eq(before.next_at))
                .filter(attempts::last_at.eq(before.last_at));
            let changed = match (stored, next) {
                (Some(_), Some(next)) => diesel::update(unchanged).set(&next).execute(connection),
                (Some(_), None) => diesel::delete(unchanged).execute(connection),
                (None, Some(next)) => diesel::insert_into(attempts::table)
                    .values((attempts::id.eq(&id), &next))
                    .execute(connection),
                (None, None) => Ok(1),
            };
            match changed {
                Ok(0) | Err(DatabaseError(UniqueViolation, _)) => {}
                Ok(_) => return Ok(Some(Ok(before))),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    })?;
    changed.ok_or_else(|| Error::unavailable("too many requests change one counter of attempts"))
}

/// Deletes a few counters that have started again. Each new counter deletes up to ten.
pub(crate) async fn forget(database: &Database) -> Result<(), Error> {
    let now = database.now().timestamp_millis();
    on!(database, database.run, |connection| {
        let old = attempts::last_at.le(now - FORGOTTEN);
        let ids: Vec<String> = attempts::table
            .filter(old)
            .order(attempts::last_at)
            .select(attempts::id)
            .limit(10)
            .load(connection)?;
        if ids.is_empty() {
            return Ok(());
        }
        let rows = attempts::table.filter(attempts::id.eq_any(&ids));
        diesel::delete(rows.filter(old))
            .execute(connection)
            .map(drop)
    })
}
