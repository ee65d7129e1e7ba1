//! A connection that one thread uses all the time, beside those of the pool.

use std::mem;
use std::sync::{Mutex, PoisonError};

use diesel::QueryResult;
use r2d2::ManageConnection;

use super::error_class::Fault;
use super::run::{effect, failure};
use super::{Pooled, SqlConnector};
use crate::error::Error;
use crate::store::pool::Idempotent;
use crate::store::sql::backend::Backend;

/// The connections of a door's saves. Each opens when it is needed.
pub(crate) struct DoorConnections<C> {
    /// For saves that one statement makes.
    pub(super) statements: Kept<C>,
    pub(super) transactions: Kept<C>,
}

impl<C: Backend> DoorConnections<C> {
    /// Runs work of one statement; see [`Kept::run`].
    pub(crate) fn run<T>(
        &self,
        work: impl FnMut(&mut C) -> QueryResult<T>,
    ) -> Option<Result<T, Error>> {
        self.statements.run(work)
    }

    /// Runs work as one transaction; see [`Kept::run`].
    pub(crate) fn transact<T>(
        &self,
        mut work: impl FnMut(&mut C) -> QueryResult<T>,
    ) -> Option<Result<T, Error>> {
        self.transactions
            .run(|connection| connection.transact_at_door(&mut work))
    }
}

pub(super) struct Kept<C> {
    connector: SqlConnector<C>,
    connection: Mutex<Place<C>>,
}

enum Place<C> {
    Empty,
    Free(Pooled<C>),
    /// A thread uses the connection. As many connections had hung before; if one has hung since, it is perhaps
    /// this one.
    Lent(u64),
}

/// Frees the place of a connection that its thread does not give back.
struct Lent<'k, C> {
    place: &'k Mutex<Place<C>>,
    hangs: u64,
}

impl<C> Lent<'_, C> {
    /// Fills the place, unless another thread took it over.
    fn put(&self, with: Place<C>) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*place, Place::Lent(hangs) if hangs == self.hangs) {
            *place = with;
        }
    }
}

impl<C> Drop for Lent<'_, C> {
    fn drop(&mut self) {
        self.put(Place::Empty);
    }
}

impl<C: Backend> Kept<C> {
    pub(super) fn new(connector: SqlConnector<C>) -> Self {
        Self {
            connector,
            connection: Mutex::new(Place::Empty),
        }
    }

    /// Runs work of a batch, and again if no server took it. Returns `None` if another thread has the
    /// connection, or none can be opened, as where the account has no more: those of the pool are left.
    fn run<T>(&self, mut work: impl FnMut(&mut C) -> QueryResult<T>) -> Option<Result<T, Error>> {
        loop {
            let (lent, mut pooled, is_new) = self.take()?;
            let done = work(&mut pooled.connection);
            let fault = done.as_ref().err().map(Fault::of);
            pooled.lost = matches!(fault, Some(Fault::NotSent | Fault::Lost));
            pooled.outdated = fault == Some(Fault::Outdated);
            if !self.connector.has_broken(&mut pooled) {
                lent.put(Place::Free(pooled));
            }
            drop(lent);
            return Some(match (done, fault) {
                (Ok(value), _) => Ok(value),
                (Err(_), Some(Fault::NotSent | Fault::Outdated)) if !is_new => continue,
                (Err(error), fault) => {
                    let fault = fault.unwrap_or(Fault::Other);
                    Err(failure(error).with_effect(effect(fault, Idempotent::Batch)))
                }
            });
        }
    }

    /// Returns the connection, and whether it is new.
    fn take(&self) -> Option<(Lent<'_, C>, Pooled<C>, bool)> {
        let hangs = self.connector.outdated.hangs();
        let mut place = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if matches!(*place, Place::Lent(before) if before == hangs) {
            return None;
        }
        let before = mem::replace(&mut *place, Place::Lent(hangs));
        drop(place);
        let lent = Lent {
            place: &self.connection,
            hangs,
        };
        if let Place::Free(mut kept) = before
            && self.connector.is_valid(&mut kept).is_ok()
        {
            return Some((lent, kept, false));
        }
        Some((lent, self.connector.connect().ok()?, true))
    }
}
