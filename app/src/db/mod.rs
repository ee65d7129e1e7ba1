//! Reads and writes the application's tables, on any backend.

/// Calls a method with Diesel code for the configured backend. The code has to fit every backend.
macro_rules! on {
    ($database:expr, $object:ident.$method:ident, |$connection:ident| $work:expr) => {
        match $database {
            #[cfg(feature = "mysql")]
            database if database.is::<diesel::MysqlConnection>() => {
                let work = move |$connection: &mut diesel::MysqlConnection| $work;
                $object.$method(work).await
            }
            #[cfg(feature = "postgres")]
            database if database.is::<diesel::PgConnection>() => {
                let work = move |$connection: &mut diesel::PgConnection| $work;
                $object.$method(work).await
            }
            _ => {
                let work = move |$connection: &mut diesel::SqliteConnection| $work;
                $object.$method(work).await
            }
        }
    };
}

pub(crate) mod attempts;
pub(crate) mod known_devices;
mod schema;
pub(crate) mod users;

use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rocket_diesel_session::{Database, Error};

use self::schema::{attempts as attempts_table, known_devices as known_devices_table};

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Fails if a table of the application cannot be read.
pub(crate) async fn check_tables(database: &Database) -> Result<(), Error> {
    users::credentials(database, String::new()).await?;
    on!(database, database.run, |connection| {
        let attempt = attempts_table::table.select(attempts_table::id);
        attempt.first::<String>(connection).optional()?;
        let device = known_devices_table::table.select(known_devices_table::id);
        device.first::<String>(connection).optional().map(drop)
    })
}
