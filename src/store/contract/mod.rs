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

mod concurrency;
mod many;
mod reading;
mod writing;

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
    reading::what_is_not_there_is_not_found,
    reading::a_record_expires_at_the_exact_instant,
    writing::insert_never_replaces,
    writing::update_needs_the_version_it_read,
    writing::update_never_brings_back,
    writing::renewal_moves_the_record_in_one_step,
    writing::renewal_never_takes_the_key_of_another,
    writing::touch_moves_forward_only,
    writing::touch_leaves_version_and_data_alone,
    many::a_user_s_sessions_are_listed_and_ended,
    many::all_records_come_a_page_at_a_time,
    many::delete_expired_takes_the_oldest_up_to_its_limit,
    concurrency::of_many_inserts_one_wins,
    concurrency::of_two_writers_none_is_lost,
    concurrency::a_writer_never_outlives_a_delete,
    concurrency::a_writer_never_undoes_a_renewal,
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
