//! Sources of connections: this crate's pool, the application's pool, or one transaction.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use diesel::r2d2::ConnectionManager;

use super::SqlConnector;
use crate::store::sql::backend::Backend;

/// Lends connections of the type `C`.
pub(crate) trait ConnectionSource<C>: Send + Sync {
    fn checkout(&self) -> Result<Box<dyn Lease<C> + '_>, r2d2::Error>;

    /// Returns `true` if work that failed on one connection can run on another.
    fn has_others(&self) -> bool {
        true
    }
}

impl<C> ConnectionSource<C> for Box<dyn ConnectionSource<C>> {
    fn checkout(&self) -> Result<Box<dyn Lease<C> + '_>, r2d2::Error> {
        (**self).checkout()
    }
}

/// The one connection of a transaction, which its statements borrow in turn.
pub(crate) struct Single<'c, C>(Mutex<&'c mut C>);

impl<'c, C> Single<'c, C> {
    pub(crate) fn new(connection: &'c mut C) -> Self {
        Self(Mutex::new(connection))
    }
}

impl<C: Send> ConnectionSource<C> for Single<'_, C> {
    fn checkout(&self) -> Result<Box<dyn Lease<C> + '_>, r2d2::Error> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(Reborrowed(connection)))
    }

    fn has_others(&self) -> bool {
        false
    }
}

struct Reborrowed<'s, 'c, C>(MutexGuard<'s, &'c mut C>);

impl<C> Deref for Reborrowed<'_, '_, C> {
    type Target = C;
    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C> DerefMut for Reborrowed<'_, '_, C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.0
    }
}

impl<C> Lease<C> for Reborrowed<'_, '_, C> {
    /// Does nothing: the owner of the connection sees the same error.
    fn discard(&mut self) {}
}

/// A borrowed connection, until it is dropped.
pub(crate) trait Lease<C>: DerefMut<Target = C> {
    /// Fails if the database file was deleted or replaced.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
    /// Keeps the connection from going back into the pool.
    fn discard(&mut self);
    /// Does the same with every connection that was opened before.
    fn discard_all(&mut self) {
        self.discard();
    }
}

impl<C: Backend> ConnectionSource<C> for r2d2::Pool<SqlConnector<C>> {
    fn checkout(&self) -> Result<Box<dyn Lease<C> + '_>, r2d2::Error> {
        Ok(Box::new(PoolLease(self.get()?)))
    }
}

pub(super) struct PoolLease<C: Backend>(pub(super) r2d2::PooledConnection<SqlConnector<C>>);

impl<C: Backend> Deref for PoolLease<C> {
    type Target = C;
    fn deref(&self) -> &C {
        &self.0.connection
    }
}

impl<C: Backend> DerefMut for PoolLease<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.0.connection
    }
}

impl<C: Backend> Lease<C> for PoolLease<C> {
    fn check(&self) -> Result<(), String> {
        self.0.connected.check()
    }

    fn discard(&mut self) {
        self.0.lost = true;
    }

    fn discard_all(&mut self) {
        self.0.outdated = true;
    }
}

/// A pool of the application. The first connection that it lends is checked.
pub(crate) struct ApplicationPool<C: Backend> {
    pool: r2d2::Pool<ConnectionManager<C>>,
    seen: Once,
}

impl<C: Backend> ApplicationPool<C> {
    pub(crate) fn new(pool: r2d2::Pool<ConnectionManager<C>>) -> Self {
        let seen = Once::new();
        Self { pool, seen }
    }
}

impl<C: Backend> ConnectionSource<C> for ApplicationPool<C> {
    fn checkout(&self) -> Result<Box<dyn Lease<C> + '_>, r2d2::Error> {
        let mut connection = self.pool.get()?;
        self.seen.call_once(|| {
            if let Ok(Some(lack)) = connection.lack() {
                log::warn!(
                    "the pool given to DieselStore::new has connections with {lack} for each, in a \
                     CustomizeConnection of the pool"
                );
            }
        });
        Ok(Box::new(connection))
    }
}

impl<C: Backend> Lease<C> for r2d2::PooledConnection<ConnectionManager<C>> {
    /// Does nothing: Diesel's manager pings its connections at every checkout.
    fn discard(&mut self) {}
}
