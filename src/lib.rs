#![doc = include_str!("../README.md")]

mod address;
mod client;
mod clock;
mod commit;
mod config;
mod context;
mod cookie;
mod cross_site;
mod device;
mod error;
mod event;
mod express;
mod fairing;
mod form_token;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/src/library/mod.rs"]
pub mod fuzz;
mod guard;
pub mod guide;
mod live;
mod record;
mod response;
mod session;
mod signature;
mod site;
mod store;
mod sweeper;
mod threads;
mod token;

mod backend;
mod database;
mod pool;

/// The CSRF protection's answers.
pub mod csrf {
    pub use crate::cross_site::refusal::{Reason, Refusal};
}

pub use self::backend::Backend;
pub use self::cookie::cookie;
pub use self::database::Database;
pub use self::device::Device;
pub use self::error::{Error, ErrorKind};
pub use self::fairing::Sessions;
pub use self::guard::Session;
pub use self::live::LiveSessions;
pub use self::record::Record;
pub use self::session::Flash;
#[cfg(feature = "contract")]
pub use self::store::contract;
pub use self::store::diesel::{DieselStore, MIGRATIONS};
pub use self::store::memory::MemoryStore;
#[cfg(feature = "redis")]
pub use self::store::redis::RedisStore;
pub use self::store::{Inserted, Store, Updated};
pub use self::token::{Key, Token};
