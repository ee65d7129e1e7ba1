//! Work on a store: the threads that do it, saving, cleanup, and the application's own queries.

pub(crate) mod cleanup;
pub(crate) mod commit;
pub(crate) mod context;
pub(crate) mod database;
pub(crate) mod probe;
pub(crate) mod threads;

pub use self::database::Database;
