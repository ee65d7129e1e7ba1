//! A transaction that the application's work and the store share.

use diesel::QueryResult;
use diesel::result::Error as DieselError;

use super::DieselStore;
use super::store::SqlStore;
use crate::error::Error;
use crate::store::Store;
use crate::store::pool::Idempotent;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::Single;

impl<C: Backend> DieselStore<C> {
    /// Runs `work`, then `save` with this store, in one transaction.
    pub(crate) fn transaction<T, S>(
        &self,
        work: impl Fn(&mut C) -> QueryResult<T>,
        save: impl Fn(&dyn Store) -> Result<S, Error>,
    ) -> Result<(T, S), Error> {
        let mut failed = None;
        let done = self.0.write(Idempotent::No, |connection| {
            connection.transact(|connection| {
                let value = work(connection)?;
                let saved = save(&self.within(connection)).map_err(|error| {
                    error.into_cause().unwrap_or_else(|error| {
                        failed = Some(error);
                        DieselError::RollbackTransaction
                    })
                })?;
                Ok((value, saved))
            })
        });
        match failed {
            Some(error) => Err(error),
            None => done,
        }
    }

    /// Returns this store on a connection that is in a transaction, where it reads no users.
    fn within<'c>(&self, connection: &'c mut C) -> SqlStore<C, Single<'c, C>> {
        SqlStore {
            writer: None,
            users: None,
            ..self.0.on(Single::new(connection))
        }
    }
}
