//! Reads and writes the application's tables.

pub(crate) mod attempts;
pub(crate) mod schema;
pub(crate) mod users;
