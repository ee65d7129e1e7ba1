//! The queries, on MariaDB and on SQLite.

use std::time::{SystemTime, UNIX_EPOCH};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error, Pool};

diesel::table! {
    sessions (session_id) {
        session_id -> VarChar,
        user_id -> Nullable<Integer>,
        expires -> BigInt,
        data -> Text,
    }
}
diesel::table! {
    users (id) {
        id -> Integer,
        email -> VarChar,
    }
}
diesel::allow_tables_to_appear_in_same_query!(sessions, users);

const CONNECTIONS: u32 = 10;
const LIFETIME: i64 = 86_400;

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() as i64
}

macro_rules! queries {
    ($backend:ident, $connection:ty) => {
        mod $backend {
            use super::*;

            pub fn load(connection: &mut $connection, id: &str) -> Option<String> {
                let session = sessions::table
                    .filter(sessions::session_id.eq(id))
                    .filter(sessions::expires.gt(now()))
                    .select(sessions::data);
                session.first(connection).optional().unwrap()
            }

            pub fn save(connection: &mut $connection, id: &str, data: &str) {
                let values = (
                    sessions::data.eq(data),
                    sessions::expires.eq(now() + LIFETIME),
                );
                let update = diesel::update(sessions::table.find(id)).set(values);
                update.execute(connection).unwrap();
            }

            pub fn load_with_user(
                connection: &mut $connection,
                id: &str,
            ) -> Option<(String, String)> {
                let session = sessions::table
                    .inner_join(users::table.on(sessions::user_id.eq(users::id.nullable())))
                    .filter(sessions::session_id.eq(id))
                    .filter(sessions::expires.gt(now()))
                    .select((sessions::data, users::email));
                session.first(connection).optional().unwrap()
            }

            pub fn insert(connection: &mut $connection, id: &str, user: Option<i32>, data: &str) {
                let values = (
                    sessions::session_id.eq(id),
                    sessions::user_id.eq(user),
                    sessions::expires.eq(now() + LIFETIME),
                    sessions::data.eq(data),
                );
                let insert = diesel::insert_into(sessions::table).values(values);
                insert.execute(connection).unwrap();
            }
        }
    };
}
queries!(mysql, MysqlConnection);
queries!(sqlite, SqliteConnection);

#[derive(Clone)]
pub enum Database {
    Mysql(Pool<ConnectionManager<MysqlConnection>>),
    Sqlite(Pool<ConnectionManager<SqliteConnection>>),
}

macro_rules! with_connection {
    ($database:expr, $backend:ident, $connection:ident => $work:expr) => {
        match $database {
            Database::Mysql(pool) => {
                use mysql as $backend;
                let $connection = &mut pool.get().unwrap();
                $work
            }
            Database::Sqlite(pool) => {
                use sqlite as $backend;
                let $connection = &mut pool.get().unwrap();
                $work
            }
        }
    };
}

impl Database {
    pub fn open(url: &str) -> Self {
        if url.starts_with("mysql:") {
            // Without a statement before each use of a connection, which r2d2 sends by default.
            let pool = Pool::builder()
                .max_size(CONNECTIONS)
                .test_on_check_out(false);
            return Self::Mysql(pool.build(ConnectionManager::new(url)).unwrap());
        }
        let pool = Pool::builder()
            .max_size(CONNECTIONS)
            .test_on_check_out(false);
        let pool = pool.connection_customizer(Box::new(Settings));
        Self::Sqlite(pool.build(ConnectionManager::new(url)).unwrap())
    }

    pub fn load(&self, id: &str) -> Option<String> {
        with_connection!(self, backend, connection => backend::load(connection, id))
    }

    pub fn load_with_user(&self, id: &str) -> Option<(String, String)> {
        with_connection!(self, backend, connection => backend::load_with_user(connection, id))
    }

    /// Returns the first part of what `change` makes of the session, and saves the second.
    pub fn change<T>(&self, id: &str, change: impl FnOnce(&str) -> (T, String)) -> Option<T> {
        with_connection!(self, backend, connection => {
            let (result, data) = change(&backend::load(connection, id)?);
            backend::save(connection, id, &data);
            Some(result)
        })
    }

    pub fn insert(&self, id: &str, user: Option<i32>, data: &str) {
        with_connection!(self, backend, connection => backend::insert(connection, id, user, data));
    }
}

#[derive(Debug)]
struct Settings;

impl CustomizeConnection<SqliteConnection, Error> for Settings {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), Error> {
        // As this repository's library: a write is on the disk before it is acknowledged.
        let settings =
            "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";
        connection
            .batch_execute(settings)
            .map_err(Error::QueryError)
    }
}
