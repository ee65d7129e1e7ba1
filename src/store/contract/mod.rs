//! The contract of a [`Store`], as a test suite for authors of stores.
//!
//! [`check`] **deletes all records of the store**, and panics if the store breaks the contract. A later
//! release may check more.
//!
//! ```
//! # use rocket_diesel_session::store::{MemoryStore, contract};
//! contract::check(&MemoryStore::new());
//! ```
//!
//! [`PROPERTIES`] lists each property by name, for one test each, or for a store that keeps a part of
//! the contract.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test suite panics where a test fails"
)]

mod batches;
mod concurrency;
mod many;
mod reading;
mod writing;

pub use self::batches::{load_each, save_each};
use crate::record::Record;
use crate::store::{Inserted, Store};
use crate::token::{Key, Token};

/// An instant in 2026, in Unix milliseconds. The suite does not read the clock.
const NOW: i64 = 1_790_000_000_000;
const HOUR: i64 = 3_600_000;

/// One property of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    name: &'static str,
    check: fn(&dyn Store),
}

impl Property {
    /// Returns its name, such as `insert_never_replaces`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Deletes all records of the store and checks this property alone.
    ///
    /// # Panics
    ///
    /// Panics if the store breaks the property; standard error names it.
    pub fn check(&self, store: &dyn Store) {
        let _named = NameOnPanic(self.name);
        store.clear().unwrap();
        (self.check)(store);
        store.clear().unwrap();
    }
}

struct NameOnPanic(&'static str);

impl Drop for NameOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the store breaks the property {}", self.0);
        }
    }
}

macro_rules! properties {
    ($($module:ident::$name:ident),+ $(,)?) => {
        &[$(Property { name: stringify!($name), check: $module::$name }),+]
    };
}

/// All properties of the contract, in the order of [`check`].
pub const PROPERTIES: &[Property] = properties![
    reading::a_record_reads_back_as_it_was_written,
    reading::text_of_every_kind_and_size_reads_back,
    reading::a_missing_record_is_not_found,
    reading::a_record_expires_at_the_exact_instant,
    writing::insert_never_replaces,
    writing::update_needs_the_version_it_read,
    writing::update_never_brings_back_a_record,
    writing::renewal_moves_the_record_in_one_step,
    writing::a_renewal_never_takes_a_key_in_use,
    writing::touch_moves_forward_only,
    writing::touch_leaves_version_and_data_alone,
    many::sessions_of_a_user_are_listed_and_deleted,
    many::all_returns_records_in_pages,
    many::delete_expired_takes_the_oldest_up_to_its_limit,
    concurrency::one_of_many_inserts_wins,
    concurrency::two_writers_lose_no_update,
    concurrency::a_writer_never_outlives_a_delete,
    concurrency::a_writer_never_undoes_a_renewal,
    concurrency::batches_lose_no_update,
    batches::loads_of_a_batch_are_in_the_order_of_their_keys,
    batches::expiries_are_those_of_live_records,
    batches::saves_of_a_batch_have_the_outcomes_that_they_have_alone,
    batches::a_save_that_loses_keeps_no_other_of_its_batch_from_winning,
    batches::a_save_that_fails_keeps_no_other_of_its_batch_from_winning,
    batches::of_two_saves_of_one_record_in_a_batch_one_wins,
];

/// Deletes all records of the store and checks every property.
///
/// # Panics
///
/// Panics if the store breaks one; standard error names it.
pub fn check(store: &dyn Store) {
    for property in PROPERTIES {
        property.check(store);
    }
}

/// Returns a record with a new key.
pub fn record() -> Record {
    Record::new(key(), NOW, NOW + HOUR, NOW + 24 * HOUR)
}

fn key() -> Key {
    Token::generate().unwrap().key()
}

fn stored(store: &dyn Store, record: Record) -> Record {
    assert_eq!(store.insert(&record).unwrap(), Inserted::Done);
    record
}
