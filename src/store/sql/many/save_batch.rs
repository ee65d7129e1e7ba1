//! The statements of one batch of saves, and which of the saves won.

use diesel::QueryResult;
use diesel::result::Error as DieselError;

use super::texts::{SaveTexts, changed};
use crate::record::Record;
use crate::store::sql::backend::{Backend, Batch};
use crate::store::sql::layout::values;
use crate::store::sql::statement::{Statement, Value};
use crate::store::sql::store::is_taken;
use crate::store::{Save, Updated};
use crate::token::Key;

pub(super) struct SaveBatch<'b, C> {
    connection: &'b mut C,
    texts: &'b SaveTexts,
    /// In the order of the saves.
    outcomes: &'b mut [Updated],
}

/// The place of a save, its record, and the version that it replaces.
type Update<'s> = (usize, &'s Record, i64);

impl<'b, C: Backend> SaveBatch<'b, C> {
    pub(super) fn new(
        connection: &'b mut C,
        texts: &'b SaveTexts,
        outcomes: &'b mut [Updated],
    ) -> Self {
        Self {
            connection,
            texts,
            outcomes,
        }
    }

    /// Runs one statement for each save; each tells by itself whether it won.
    pub(super) fn singly(&mut self, saves: &[&Save]) -> QueryResult<()> {
        for (place, save) in saves.iter().enumerate() {
            let count = match self.connection.change(&self.texts.of_one(save)) {
                Err(error) if is_taken(&error) => {
                    self.outcomes[place] = Updated::Taken;
                    continue;
                }
                count => count?,
            };
            if let (0, Save::Update { .. }) = (count, save) {
                self.outcomes[place] = Updated::Stale;
            }
        }
        Ok(())
    }

    /// Runs one statement for all updates, one for all touches and one for all inserts.
    pub(super) fn by_kind(&mut self, saves: &[&Save]) -> QueryResult<()> {
        let (mut updates, mut touches, mut inserts) = (Vec::new(), Vec::new(), Vec::new());
        for (place, save) in saves.iter().enumerate() {
            match save {
                Save::Update { version, record } => updates.push((place, record, *version)),
                Save::Insert(record) => inserts.push((place, record)),
                Save::Touch {
                    key,
                    seen_at,
                    expires_at,
                } => touches.push((key, *seen_at, *expires_at)),
            }
        }
        if !updates.is_empty() {
            self.update(&updates)?;
        }
        if !touches.is_empty() {
            self.touch(&touches)?;
        }
        if !inserts.is_empty() {
            self.insert(&inserts)?;
        }
        Ok(())
    }

    fn update(&mut self, updates: &[Update<'_>]) -> QueryResult<()> {
        let text = &self.texts.update[updates.len() - 1];
        if C::BATCH == Batch::Returning {
            let values = updates.iter().flat_map(|(_, record, replaced)| {
                let [data, seen_at, expires_at, version] = changed(record);
                [
                    Value::of(&record.key),
                    (*replaced).into(),
                    data,
                    version,
                    seen_at,
                    expires_at,
                ]
            });
            let won = self.connection.pairs(&Statement::new(text, values))?;
            let saves = updates.iter().map(|(place, record, _)| (*place, *record));
            self.note_losers(saves, &won, Updated::Stale);
            return Ok(());
        }
        let pairs = |column: usize| {
            updates
                .iter()
                .flat_map(move |(_, record, _)| [Value::of(&record.key), changed(record)[column]])
        };
        let keys = updates.iter().map(|(_, record, _)| Value::of(&record.key));
        let replaced = updates
            .iter()
            .flat_map(|(_, record, replaced)| [Value::of(&record.key), (*replaced).into()]);
        let values = (0..4).flat_map(pairs).chain(keys).chain(replaced);
        let count = self.connection.change(&Statement::new(text, values))?;
        // If one lost, the batch is undone, and each is saved alone. A SELECT would tell which one, but MariaDB
        // with Galera may never answer it if another node writes one of the rows meanwhile.
        match count < updates.len() as u64 {
            true => Err(DieselError::RollbackTransaction),
            false => Ok(()),
        }
    }

    fn touch(&mut self, touches: &[(&Key, i64, i64)]) -> QueryResult<()> {
        let text = &self.texts.touch[touches.len() - 1];
        if C::BATCH == Batch::Returning {
            let values = touches.iter().flat_map(|(key, seen_at, expires_at)| {
                [Value::of(key), (*seen_at).into(), (*expires_at).into()]
            });
            return self
                .connection
                .pairs(&Statement::new(text, values))
                .map(drop);
        }
        let keys = touches.iter().map(|(key, ..)| Value::of(key));
        let seen = touches
            .iter()
            .flat_map(|(key, seen_at, _)| [Value::of(key), (*seen_at).into()]);
        let expires = touches
            .iter()
            .flat_map(|(key, _, expires_at)| [Value::of(key), (*expires_at).into()]);
        let times = seen.chain(expires);
        let values = times.clone().chain(keys).chain(times);
        self.connection
            .change(&Statement::new(text, values))
            .map(drop)
    }

    fn insert(&mut self, inserts: &[(usize, &Record)]) -> QueryResult<()> {
        let text = &self.texts.insert[inserts.len() - 1];
        let values = inserts.iter().flat_map(|(_, record)| values(record));
        let insert = Statement::new(text, values);
        if C::BATCH != Batch::Returning {
            return self.connection.change(&insert).map(drop);
        }
        let stored = self.connection.pairs(&insert)?;
        self.note_losers(inserts.iter().copied(), &stored, Updated::Taken);
        Ok(())
    }

    /// Notes this outcome for the saves whose rows were not returned.
    fn note_losers<'s>(
        &mut self,
        saves: impl Iterator<Item = (usize, &'s Record)>,
        returned: &[(String, i64)],
        outcome: Updated,
    ) {
        for (place, record) in saves {
            if !returned.iter().any(|(key, _)| key == record.key.as_str()) {
                self.outcomes[place] = outcome;
            }
        }
    }
}
