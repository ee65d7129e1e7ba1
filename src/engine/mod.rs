//! Work on a store: its threads, saving, cleanup, and the application's queries.

pub(crate) mod cleanup;
pub(crate) mod commit;
pub(crate) mod context;
pub(crate) mod database;
mod door;
pub(crate) mod gathering;
pub(crate) mod probe;
pub(crate) mod readiness;
pub(crate) mod session_locks;
pub(crate) mod streams;
pub(crate) mod threads;

pub use self::database::Database;
