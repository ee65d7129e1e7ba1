//! Deletes expired records, in one of two ways.

use std::thread;
use std::time::Duration;

use diesel::QueryResult;

use super::statement::{Statement, Value};
use super::store::SqlStore;
use crate::error::Error;
use crate::store::pool::Idempotent;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::ConnectionSource;

/// The largest number of records that one statement deletes while no other connection can write: it takes SQLite
/// about 2 ms.
const TURN: u32 = 50;
const BETWEEN_TURNS: Duration = Duration::from_millis(2);

impl<C: Backend, P: ConnectionSource<C>> SqlStore<C, P> {
    /// Deletes expired records, and lets live writers in between if only one can write at a time.
    pub(super) fn delete_in_turns(&self, now: i64, limit: u32) -> Result<u64, Error> {
        let turn = if C::ONE_WRITER { TURN } else { limit };
        let mut left = limit;
        loop {
            let most = turn.min(left);
            let values = [now.into(), i64::from(most).into()];
            let delete = Statement::new(&self.sql.delete_expired, values);
            let deleted = self.delete_rows(&delete)? as u32;
            left -= deleted.min(left);
            if deleted < most || left == 0 {
                return Ok((limit - left).into());
            }
            thread::sleep(BETWEEN_TURNS);
        }
    }

    /// Deletes records by their keys, which `choose` selects without a lock.
    pub(super) fn delete_chosen(&self, choose: &str, now: i64, limit: u32) -> Result<u64, Error> {
        let choose = Statement::new(choose, [now.into(), i64::from(limit).into()]);
        self.write(Idempotent::Yes, |connection| {
            let mut tried = Vec::new();
            loop {
                let keys = connection.texts(&choose)?;
                if keys.is_empty() || keys == tried {
                    return Ok(0);
                }
                match self.delete_keys(connection, &keys, now, limit)? {
                    // Another node has deleted these.
                    0 => tried = keys,
                    count => return Ok(count),
                }
            }
        })
    }

    /// Deletes those of up to `limit` records that are expired by now.
    fn delete_keys(
        &self,
        connection: &mut C,
        keys: &[String],
        now: i64,
        limit: u32,
    ) -> QueryResult<u64> {
        // Always as many, so that one text is prepared: the last key stands for those that are missing.
        let limit = limit as usize;
        let padded = keys.iter().chain(keys.last().into_iter().cycle());
        let keys = padded.take(limit).map(|key| Value::from(&**key));
        let list = format!("({})", vec!["?"; limit].join(", "));
        let sql = self.sql.delete_expired.replacen("(?)", &list, 1);
        connection.change(&Statement::new(&sql, keys.chain([now.into()])))
    }
}
