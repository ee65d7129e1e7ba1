//! Loads and saves of several sessions by one statement each.

mod save_batch;
mod texts;

use std::collections::HashMap;

use self::save_batch::SaveBatch;
pub(super) use self::texts::{MOST, SaveTexts, marks};
use super::statement::{Statement, Value, record};
use super::store::SqlStore;
use crate::error::{Effect, Error};
use crate::store::pool::Idempotent;
use crate::store::sql::backend::{Backend, Batch};
use crate::store::sql::pool::ConnectionSource;
use crate::store::{Loaded, Save, Store, Updated};
use crate::token::Key;

/// The most expiries that one statement reads; a power of two.
const MOST_EXPIRIES: usize = 1_024;

impl<C: Backend, P: ConnectionSource<C>> SqlStore<C, P> {
    pub(super) fn load_together(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        let load = |keys: &[&Key]| match keys {
            [key] => vec![self.load_with_user(key, now)],
            keys => each(keys.len(), self.load_batch(keys, now)),
        };
        keys.chunks(MOST).flat_map(load).collect()
    }

    pub(super) fn save_together(&self, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
        let Some(texts) = &self.sql.saves else {
            return saves.iter().map(|save| save.on(self)).collect();
        };
        let mut results: Vec<_> = saves.iter().map(|_| None).collect();
        for places in transactions::<C>(saves) {
            let batch: Vec<_> = places.iter().map(|place| saves[*place]).collect();
            let saved = match (&batch[..], &self.door) {
                ([save], None) => vec![self.save(texts, save)],
                (batch, _) => each(batch.len(), self.save_batch(texts, batch)),
            };
            for (place, result) in places.into_iter().zip(saved) {
                results[place] = Some(result);
            }
        }
        results.into_iter().flatten().collect()
    }

    fn save(&self, texts: &SaveTexts, save: &Save) -> Result<Updated, Error> {
        match save {
            Save::Update { .. } => self.replace(&texts.of_one(save)),
            _ => save.on(self),
        }
    }

    /// Loads 2 to [`MOST`] records by one statement, and checks the expiry here: with it in SQL, MariaDB weighs
    /// the index of `expires_at` each time.
    fn load_batch(&self, keys: &[&Key], now: i64) -> Result<Vec<Loaded>, Error> {
        let select = &self.reading()?.load_many[keys.len() - 1];
        let select = Statement::new(select, keys.iter().map(|key| Value::of(key)));
        let mut is_sent = false;
        let rows = self.read(|connection| {
            is_sent = true;
            connection.rows(&select)
        });
        let rows = rows.map_err(|error| match is_sent {
            true => error.with_effect(Effect::Undone),
            false => error,
        })?;
        let records = rows.into_iter().map(record);
        let found: HashMap<Key, _> = records
            .filter(|(record, _)| record.expires_at > now)
            .map(|found| (found.0.key.clone(), found))
            .collect();
        let of_keys = keys.iter().map(|key| found.get(*key).cloned());
        Ok(of_keys
            .inspect(|found| self.warn_of_strays(found.as_ref()))
            .collect())
    }

    pub(super) fn expiries_together(
        &self,
        keys: &[&Key],
        now: i64,
    ) -> Vec<Result<Option<i64>, Error>> {
        let read = |keys: &[&Key]| each(keys.len(), self.expiry_batch(keys, now));
        keys.chunks(MOST_EXPIRIES).flat_map(read).collect()
    }

    /// Reads the expiries of up to [`MOST_EXPIRIES`] records by one statement.
    fn expiry_batch(&self, keys: &[&Key], now: i64) -> Result<Vec<Option<i64>>, Error> {
        // Of few lengths, so that few texts are prepared: the last key stands for those that are missing.
        let count = keys.len().next_power_of_two();
        let padded = keys.iter().chain(keys.last().into_iter().cycle());
        let sql = self.sql.expiries.replacen('?', &marks(count), 1);
        let select = Statement::new(&sql, padded.take(count).map(|key| Value::of(key)));
        let rows = self.read(|connection| connection.pairs(&select))?;
        let found: HashMap<_, _> = rows.into_iter().collect();
        let of_key = |key: &&Key| found.get(key.as_str()).copied();
        let live = |key| of_key(key).filter(|expiry| *expiry > now);
        Ok(keys.iter().map(live).collect())
    }

    /// Saves up to [`MOST`] records of one of the [`transactions`]. If one cannot be saved, none is.
    fn save_batch(&self, texts: &SaveTexts, saves: &[&Save]) -> Result<Vec<Updated>, Error> {
        let work = |connection: &mut C| {
            let mut outcomes = vec![Updated::Done; saves.len()];
            let mut batch = SaveBatch::new(connection, texts, &mut outcomes);
            match (C::BATCH, saves) {
                (Batch::Singly, _) | (_, [_]) => batch.singly(saves)?,
                _ => batch.by_kind(saves)?,
            }
            Ok(outcomes)
        };
        let (door, is_one) = (self.door.as_ref(), is_one_statement::<C>(saves));
        let done = door.and_then(|door| match is_one {
            true => door.run(work),
            false => door.transact(work),
        });
        done.unwrap_or_else(|| {
            self.write(Idempotent::Batch, |connection| match is_one {
                true => work(connection),
                false => connection.transact(work),
            })
        })
    }
}

/// Returns `true` if one statement makes the saves and tells who won.
fn is_one_statement<C: Backend>(saves: &[&Save]) -> bool {
    let is_insert = |save: &&Save| matches!(save, Save::Insert(_));
    let is_touch = |save: &&Save| matches!(save, Save::Touch { .. });
    match C::BATCH {
        Batch::Case => {
            saves.len() == 1 || saves.iter().all(is_insert) || saves.iter().all(is_touch)
        }
        Batch::Returning => true,
        Batch::Singly => false,
    }
}

/// Returns the places of the saves that share a transaction, in the order of their keys, so that two batches do not
/// wait for each other's rows. A second save of one key is in a later transaction.
fn transactions<C: Backend>(saves: &[&Save]) -> Vec<Vec<usize>> {
    let group = |place: &usize| {
        let save = saves[*place];
        let repeats = saves[..*place].iter().filter(|it| it.key() == save.key());
        let statement = match (C::BATCH, save) {
            (Batch::Case | Batch::Singly, _) | (_, Save::Update { .. }) => 0,
            (Batch::Returning, Save::Touch { .. }) => 1,
            (Batch::Returning, Save::Insert(_)) => 2,
        };
        (repeats.count(), statement)
    };
    let mut places: Vec<usize> = (0..saves.len()).collect();
    places.sort_by_cached_key(|place| (group(place), saves[*place].key()));
    let groups = places.chunk_by(|a, b| group(a) == group(b));
    let batches = groups.flat_map(|places| places.chunks(MOST));
    batches.map(<[_]>::to_vec).collect()
}

/// Gives each of `count` asks its part of a batch's result.
fn each<T>(count: usize, batch: Result<Vec<T>, Error>) -> Vec<Result<T, Error>> {
    match batch {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(error) => (0..count).map(|_| Err(error.copy())).collect(),
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use diesel::SqliteConnection;

    use super::*;

    fn touch(key: &str) -> Save {
        Save::Touch {
            key: Key::from_stored(key.to_owned()),
            seen_at: 0,
            expires_at: 0,
        }
    }

    #[test]
    fn a_transaction_saves_in_the_order_of_the_keys_and_each_key_once() {
        let saves = ["c", "a", "b", "a", "c", "a"].map(touch);
        let saves: Vec<_> = saves.iter().collect();
        let expected = [vec![1, 2, 0], vec![3, 4], vec![5]];
        assert_eq!(transactions::<SqliteConnection>(&saves), expected);
    }
}
