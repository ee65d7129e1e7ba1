//! Limits how often passwords are tried.
//!
//! Each attempt counts in the database before its password is compared, so that the limit is exact
//! for parallel requests and several nodes.

mod counter;

use std::convert::Infallible;

use rocket_diesel_session::{Database, Error};

pub(crate) use self::counter::Counter;
use crate::db::attempts::count::{AttemptCount, Refused};
use crate::db::attempts::{self, change, forget};
use crate::passwords::Slot;

/// A counted attempt, with its slot for hashing the password.
pub(crate) struct Attempt {
    pub(crate) slot: Slot,
    counters: Vec<Counter>,
}

/// Why an attempt is refused.
pub(crate) enum Throttled {
    /// A counter is at its limit, for `wait` more milliseconds.
    TooOften {
        what: &'static str,
        limit: i64,
        wait: i64,
    },
    /// All remaining attempts are in progress.
    UnderWay,
}

impl Throttled {
    /// Returns a counter that is at its limit. Writes nothing.
    pub(crate) async fn find(
        database: &Database,
        counters: &[Counter],
    ) -> Result<Option<Self>, Error> {
        let ids = counters.iter().map(|it| it.id.clone()).collect();
        let stored = attempts::read(database, ids).await?;
        let now = database.now().timestamp_millis();
        let find = |counter: &Counter| {
            let (_, count) = stored.iter().find(|(id, _)| *id == counter.id)?;
            let refused = count.begin(counter.limit, now).err()?;
            Some(Self::at(counter, refused))
        };
        Ok(counters.iter().find_map(find))
    }

    fn at(counter: &Counter, refused: Refused) -> Self {
        match refused {
            Refused::Wait(wait) => Self::TooOften {
                what: counter.what,
                limit: counter.limit,
                wait,
            },
            Refused::UnderWay => Self::UnderWay,
        }
    }
}

impl Attempt {
    /// Counts an attempt in all counters, or in none.
    ///
    /// The last counter belongs to the account, device or session and is reset when the
    /// password is right. The others are shared.
    pub(crate) async fn begin(
        database: &Database,
        slot: Slot,
        counters: Vec<Counter>,
    ) -> Result<Result<Self, Throttled>, Error> {
        let mut attempt = Self {
            slot,
            counters: Vec::new(),
        };
        for counter in counters {
            let limit = counter.limit;
            let begin = move |count: AttemptCount, now| count.begin(limit, now).map(Some);
            let before = match change(database, &counter.id, begin).await {
                Ok(Ok(before)) => before,
                Ok(Err(refused)) => {
                    attempt.cancel(database).await?;
                    return Ok(Err(Throttled::at(&counter, refused)));
                }
                Err(error) => {
                    // If this fails too, the attempt stops counting as in
                    // progress after a minute.
                    let _ = attempt.cancel(database).await;
                    return Err(error);
                }
            };
            attempt.counters.push(counter);
            if before == AttemptCount::default() {
                forget(database).await?;
            }
        }
        Ok(Ok(attempt))
    }

    /// Returns the limit of the last counter.
    pub(crate) fn limit(&self) -> Option<i64> {
        self.counters.last().map(|counter| counter.limit)
    }

    /// Counts a failure, and returns the failures of the last counter.
    pub(crate) async fn fail(self, database: &Database) -> Result<i64, Error> {
        let mut failures = 0;
        for counter in &self.counters {
            let before = always(database, counter, |count| Some(count.fail())).await?;
            failures = before.failures + 1;
        }
        Ok(failures)
    }

    /// Resets the last counter, and returns how many attempts had failed.
    pub(crate) async fn succeed(mut self, database: &Database) -> Result<i64, Error> {
        let failures = match self.counters.pop() {
            Some(own) => always(database, &own, AttemptCount::reset).await?.failures,
            None => 0,
        };
        self.cancel(database).await?;
        Ok(failures)
    }

    /// Takes the attempt off its counters again.
    pub(crate) async fn cancel(self, database: &Database) -> Result<(), Error> {
        for counter in &self.counters {
            always(database, counter, |count| Some(count.cancel())).await?;
        }
        Ok(())
    }
}

async fn always(
    database: &Database,
    counter: &Counter,
    next: fn(AttemptCount) -> Option<AttemptCount>,
) -> Result<AttemptCount, Error> {
    let next = move |count, _| Ok::<_, Infallible>(next(count));
    let Ok(before) = change(database, &counter.id, next).await?;
    Ok(before)
}
