//! How often passwords were tried: counted in the database before each attempt, exactly, however
//! many are made at once and on however many nodes.

mod count;
mod counter;

use std::time::Instant;

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::DatabaseError;
use rocket_diesel_session::{Database, Error};

use self::count::{Count, FIRST_WAIT, FORGOTTEN};
pub(crate) use self::counter::{Counter, network};

use crate::password::Place;
use crate::schema::attempts;
use crate::users::on;

/// An attempt that counts already, with its place among those whose passwords are hashed.
pub(crate) struct Attempt {
    pub(crate) place: Place,
    counters: Vec<Counter>,
    /// How many it makes in the last counter.
    pub(crate) failures: i64,
}

/// Why there is no attempt now: which counter is at its limit, and for how many milliseconds.
pub(crate) struct TooOften {
    pub(crate) what: &'static str,
    pub(crate) limit: i64,
    pub(crate) wait: i64,
}

impl TooOften {
    /// Looks for a counter that is at its limit, and writes nothing.
    pub(crate) async fn find(
        database: &Database,
        counters: &[Counter],
    ) -> Result<Option<Self>, Error> {
        let ids: Vec<String> = counters.iter().map(|it| it.id.clone()).collect();
        let stored: Vec<(String, Count)> = on!(database, database.run, |connection| {
            attempts::table
                .filter(attempts::id.eq_any(&ids))
                .select((attempts::id, Count::as_select()))
                .load(connection)
        })?;
        let now = database.now().timestamp_millis();
        let find = |counter: &Counter| {
            let (_, count) = stored.iter().find(|(id, _)| *id == counter.id)?;
            let wait = count.another(counter.limit, now).err()?;
            Some(Self::at(counter, wait))
        };
        Ok(counters.iter().find_map(find))
    }

    fn at(counter: &Counter, wait: i64) -> Self {
        Self {
            what: counter.what,
            limit: counter.limit,
            wait,
        }
    }
}

impl Attempt {
    /// Counts an attempt, in all counters or in none.
    ///
    /// The last one is that of whoever tries, and begins anew when the password is right; the others
    /// are shared.
    pub(crate) async fn begin(
        database: &Database,
        place: Place,
        counters: Vec<Counter>,
    ) -> Result<Result<Self, TooOften>, Error> {
        let mut attempt = Self {
            place,
            counters: Vec::new(),
            failures: 0,
        };
        for counter in counters {
            match count(database, &counter).await? {
                Ok(failures) => attempt.failures = failures,
                Err(wait) => {
                    attempt.take_back(database).await?;
                    return Ok(Err(TooOften::at(&counter, wait)));
                }
            }
            attempt.counters.push(counter);
        }
        Ok(Ok(attempt))
    }

    /// The last counter.
    pub(crate) fn counter(&self) -> Option<&Counter> {
        self.counters.last()
    }

    /// The password was right.
    pub(crate) async fn succeed(mut self, database: &Database) -> Result<(), Error> {
        if let Some(own) = self.counters.pop() {
            on!(database, database.run, |connection| {
                let own = attempts::table.find(&own.id);
                diesel::delete(own).execute(connection).map(drop)
            })?;
        }
        self.take_back(database).await
    }

    /// The password was not even compared.
    pub(crate) async fn take_back(self, database: &Database) -> Result<(), Error> {
        for counter in self.counters {
            on!(database, database.run, |connection| {
                let counted = attempts::table
                    .find(&counter.id)
                    .filter(attempts::failures.gt(0_i64));
                // There was no wait when it was counted, and without it there is none again.
                let before = (
                    attempts::failures.eq(attempts::failures - 1_i64),
                    attempts::next_at.eq(0_i64),
                );
                diesel::update(counted)
                    .set(before)
                    .execute(connection)
                    .map(drop)
            })?;
        }
        Ok(())
    }
}

/// How often a row that others count in as well is read again.
const TRIES: usize = 100;

/// Counts an attempt: how many there are with it, or for how long there may be none.
async fn count(database: &Database, counter: &Counter) -> Result<Result<i64, i64>, Error> {
    let (id, limit) = (counter.id.clone(), counter.limit);
    let (asked_at, start) = (database.now(), Instant::now());
    let counted = on!(database, database.run, |connection| {
        for _ in 0..TRIES {
            let stored: Option<Count> = attempts::table
                .find(&id)
                .select(Count::as_select())
                .first(connection)
                .optional()?;
            // What another request has just counted is not in the future.
            let now = (asked_at + start.elapsed()).timestamp_millis();
            let next = match stored.unwrap_or_default().another(limit, now) {
                Ok(next) => next,
                Err(wait) => return Ok(Err(wait)),
            };
            let changed = match stored {
                Some(stored) => {
                    // Whoever counts meanwhile changes the number.
                    let unchanged = attempts::table
                        .find(&id)
                        .filter(attempts::failures.eq(stored.failures))
                        .filter(attempts::last_at.eq(stored.last_at));
                    diesel::update(unchanged).set(&next).execute(connection)
                }
                None => diesel::insert_into(attempts::table)
                    .values((attempts::id.eq(&id), &next))
                    .execute(connection),
            };
            match changed {
                Ok(0) | Err(DatabaseError(UniqueViolation, _)) => {}
                Ok(_) => return Ok(Ok(next.failures)),
                Err(error) => return Err(error),
            }
        }
        Ok(Err(FIRST_WAIT))
    })?;
    if counted == Ok(1) {
        forget(database).await?;
    }
    Ok(counted)
}

/// Deletes a few rows that mean nothing any more: for each new one more than one.
async fn forget(database: &Database) -> Result<(), Error> {
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
