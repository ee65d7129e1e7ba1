//! Every store answers random batches as the memory store does.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rocket_diesel_session::store::{MemoryStore, Record, Save, Store, contract};
use rocket_diesel_session::{Key, Token};

use testing::database::TestDatabase;
use testing::on_every_store;

on_every_store!(batches_are_answered_as_memory_does);

/// More than are served by one statement.
const KEYS: usize = 24;

/// One call, on keys of which none stands twice.
#[derive(Clone, Debug)]
enum Call {
    Load(Vec<usize>, i64),
    Save(Vec<(usize, Verb)>),
    /// Between two batches.
    Delete(usize),
}

#[derive(Clone, Debug)]
enum Verb {
    Insert(i64),
    /// Of the version that is stored, or of another one.
    Update(bool, i64),
    Touch(i64, i64),
}

fn verb() -> impl Strategy<Value = Verb> {
    let time = 0..6i64;
    prop_oneof![
        2 => time.clone().prop_map(Verb::Insert),
        3 => (prop::bool::weighted(0.8), time.clone()).prop_map(|(current, time)| Verb::Update(current, time)),
        1 => (time.clone(), time).prop_map(|(seen, expires)| Verb::Touch(seen, expires)),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let keys = prop::sample::subsequence((0..KEYS).collect::<Vec<_>>(), 0..=KEYS).prop_shuffle();
    let verbs = prop::collection::vec(verb(), KEYS);
    prop_oneof![
        1 => (keys.clone(), 0..6i64).prop_map(|(keys, now)| Call::Load(keys, now)),
        3 => (keys, verbs).prop_map(|(keys, verbs)| Call::Save(keys.into_iter().zip(verbs).collect())),
        1 => (0..KEYS).prop_map(Call::Delete),
    ]
}

/// The records of the keys; all fields stay as they are but those that a save may change.
struct Records(Vec<Record>);

impl Records {
    fn new() -> Self {
        let record = |number: usize| {
            let key = Token::generate().unwrap().key();
            let user_id = number.is_multiple_of(2).then(|| format!("user-{number}"));
            testing::changed!(contract::record(), key, user_id)
        };
        Self((0..KEYS).map(record).collect())
    }

    fn key(&self, number: usize) -> &Key {
        &self.0[number].key
    }

    fn changed(&self, number: usize, time: i64) -> Record {
        let (version, data) = (
            fastrand::i64(..),
            format!(r#"{{"n":{}}}"#, fastrand::u8(..)),
        );
        let expires_at = 4 * time + number as i64;
        testing::changed!(self.0[number].clone(), version, data, seen_at: time, expires_at)
    }

    /// `model` knows the versions that are stored.
    fn save(&self, number: usize, verb: &Verb, model: &MemoryStore) -> Save {
        let key = self.key(number);
        match *verb {
            Verb::Insert(time) => Save::Insert(self.changed(number, time)),
            Verb::Update(current, time) => {
                let present = model.load(key, i64::MIN).unwrap();
                let present = present.map_or(0, |record| record.version);
                Save::Update {
                    version: present.wrapping_add(i64::from(!current)),
                    record: self.changed(number, time),
                }
            }
            Verb::Touch(seen_at, expires) => Save::Touch {
                key: key.clone(),
                seen_at,
                expires_at: 4 * expires + number as i64,
            },
        }
    }

    fn saves(&self, call: &Call, model: &MemoryStore) -> Vec<Save> {
        match call {
            Call::Save(saves) => saves
                .iter()
                .map(|(number, verb)| self.save(*number, verb, model))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn answer(&self, store: &dyn Store, call: &Call, saves: &[Save]) -> String {
        match call {
            Call::Load(numbers, now) => {
                let keys: Vec<_> = numbers.iter().map(|number| self.key(*number)).collect();
                format!("{:?}", contract::load_each(store, &keys, 4 * now))
            }
            Call::Save(_) => {
                let saves: Vec<_> = saves.iter().collect();
                format!("{:?}", contract::save_each(store, &saves))
            }
            Call::Delete(number) => format!("{:?}", store.delete(self.key(*number))),
        }
    }
}

fn batches_are_answered_as_memory_does(database: &TestDatabase) {
    let (store, records) = (&*database.store, Records::new());
    let mut runner = TestRunner::new(Config {
        cases: 100,
        failure_persistence: None,
        ..Config::default()
    });
    let sequences = prop::collection::vec(call(), 1..10);
    let agree = runner.run(&sequences, |calls| {
        store.clear().unwrap();
        let model = MemoryStore::new();
        for call in calls {
            let saves = records.saves(&call, &model);
            let answer = |store: &dyn Store| records.answer(store, &call, &saves);
            prop_assert_eq!(answer(store), answer(&model), "{:?}", call);
            let all = |store: &dyn Store| store.all(i64::MIN, None, 100).unwrap();
            prop_assert_eq!(all(store), all(&model), "{:?}", call);
        }
        Ok(())
    });
    agree.unwrap();
}
