//! A pool that is replaced after some of its connections hung, since those never return to it.

use std::sync::{Arc, Mutex, PoisonError};

use super::kept::{DoorConnections, Kept};
use super::lease::{Lease, PoolLease};
use super::{ConnectionSource, SqlConnector, set_up};
use crate::store::pool::Bounds;
use crate::store::sql::backend::Backend;

/// A clone shares the pool.
pub(crate) struct Renewed<C: Backend>(Arc<Shared<C>>);

struct Shared<C: Backend> {
    manager: SqlConnector<C>,
    bounds: Bounds,
    /// The number of hangs when the pool was made, and the pool.
    pool: Mutex<(u64, r2d2::Pool<SqlConnector<C>>)>,
}

impl<C: Backend> Clone for Renewed<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: Backend> Renewed<C> {
    pub(super) fn new(manager: SqlConnector<C>, bounds: Bounds) -> Self {
        let pool = bounds.pool(manager.clone());
        Self(Arc::new(Shared {
            pool: Mutex::new((manager.outdated.hangs(), pool)),
            manager,
            bounds,
        }))
    }

    /// Returns the connections of a door's saves, beside those of the pool.
    pub(crate) fn door(&self) -> DoorConnections<C> {
        let Shared {
            manager, bounds, ..
        } = &*self.0;
        let kept = |text: String| {
            Kept::new(SqlConnector {
                set_up: set_up(&text, bounds),
                ..manager.clone()
            })
        };
        DoorConnections {
            statements: kept(C::SET_UP_DOOR.to_owned()),
            transactions: kept([C::SET_UP_DOOR, C::SET_UP_BATCH].join("; ")),
        }
    }

    fn pool(&self) -> r2d2::Pool<SqlConnector<C>> {
        let Shared {
            manager,
            bounds,
            pool,
        } = &*self.0;
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs = manager.outdated.hangs();
        if pool.0 != hangs {
            *pool = (hangs, bounds.pool(manager.clone()));
        }
        pool.1.clone()
    }
}

impl<C: Backend> ConnectionSource<C> for Renewed<C> {
    fn checkout(&self) -> Result<Box<dyn Lease<C> + '_>, r2d2::Error> {
        Ok(Box::new(PoolLease(self.pool().get()?)))
    }
}
