//! The store in the middle of a transaction, which other work shares.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::result::Error as DieselError;

use super::DieselStore;
use super::statement::Execute;
use crate::error::Error;
use crate::store::Store;
use crate::store::pool::Repeat;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::Single;

/// [`DieselStore::within`], for a connection of which no more is known than its type.
pub(crate) type Within<C> = for<'c> fn(&DieselStore<C>, &'c mut C) -> Box<dyn Store + 'c>;

impl<C: Backend> DieselStore<C> {
    /// Does `work`, then what `save` does on this store, in one transaction.
    pub(crate) fn transaction<T, S>(
        &self,
        within: Within<C>,
        work: impl Fn(&mut C) -> QueryResult<T>,
        save: impl Fn(&dyn Store) -> Result<S, Error>,
    ) -> Result<(T, S), Error> {
        let mut failed = None;
        let done = self.write(Repeat::Harmful, |connection| {
            connection.transact(|connection| {
                let value = work(connection)?;
                let saved = save(&*within(self, connection)).map_err(|error| {
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

    /// This store, in the middle of a transaction.
    pub(crate) fn within<'c>(&self, connection: &'c mut C) -> Box<dyn Store + 'c>
    where
        C: Execute,
    {
        Box::new(DieselStore {
            pool: Single::new(connection),
            writing: None,
            table: self.table.clone(),
            user: None,
            sql: self.sql.clone(),
            connection: PhantomData,
        })
    }
}
