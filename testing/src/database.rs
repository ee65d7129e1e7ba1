//! A separate database for a test: created empty, migrated, dropped at the end.

use std::sync::Arc;

use diesel::{Connection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
#[cfg(feature = "redis")]
use rocket_diesel_session::store::RedisStore;
use rocket_diesel_session::store::{DieselStore, Store};

#[cfg(feature = "redis")]
use crate::redis;
use crate::secrets;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// A database that only one test uses.
pub struct TestDatabase {
    /// As Rocket.toml would have it.
    pub url: String,
    pub store: Arc<dyn Store>,
    /// What `session.table` has to be; in Redis what all names begin with.
    pub table: String,
    clean_up: Option<Box<dyn FnOnce() + Send + Sync>>,
}

/// Does something with the type of connection that a database has.
#[macro_export]
macro_rules! with_connection {
    ($database:expr, $C:ident => $work:expr) => {
        match $database.url.split(':').next().unwrap() {
            "sqlite" => {
                type $C = diesel::SqliteConnection;
                $work
            }
            #[cfg(feature = "mysql")]
            "mysql" => {
                type $C = diesel::MysqlConnection;
                $work
            }
            #[cfg(feature = "postgres")]
            "postgres" => {
                type $C = diesel::PgConnection;
                $work
            }
            scheme => panic!("no backend for {scheme}"),
        }
    };
}
pub use with_connection;

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

impl TestDatabase {
    /// The URL as a connection takes it: the path of the file for SQLite.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("sqlite:").unwrap_or(&self.url)
    }

    pub fn run(&self, sql: &str) {
        // Closing the file's last connection but this one locks it for a moment.
        let waiting = match self.url.starts_with("sqlite:") {
            true => "PRAGMA busy_timeout = 5000; ",
            false => "",
        };
        let sql = format!("{waiting}{sql}");
        with_connection!(self, C => execute::<C>(self.address(), &sql));
    }

    /// The texts in the column `line` of what `sql` selects.
    pub fn lines(&self, sql: &str) -> Vec<String> {
        let lines: Vec<Line> = with_connection!(self, C => {
            let mut connection = C::establish(self.address()).unwrap();
            diesel::sql_query(sql).load(&mut connection).unwrap()
        });
        lines.into_iter().map(|line| line.line).collect()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        self.clean_up.take().unwrap()();
    }
}

pub fn sqlite() -> TestDatabase {
    let folder = secrets::temporary().tempdir().unwrap();
    let path = folder.path().join("test.db").display().to_string();
    migrate::<diesel::SqliteConnection>(&path);
    let store = Arc::new(DieselStore::<diesel::SqliteConnection>::connect(&path, 8));
    TestDatabase {
        url: format!("sqlite:{path}"),
        store,
        table: "sessions".into(),
        clean_up: Some(Box::new(|| drop(folder))),
    }
}

#[cfg(feature = "mysql")]
pub fn mariadb() -> TestDatabase {
    migrated_mariadb(mariadb_place())
}

/// Without any table.
#[cfg(feature = "mysql")]
pub fn empty_mariadb() -> TestDatabase {
    in_mariadb(mariadb_place())
}

/// One database, as each of the three nodes of a Galera cluster has it.
#[cfg(feature = "mysql")]
pub fn galera() -> [TestDatabase; 3] {
    let nodes = crate::provided("galera", "TEST_GALERA_URLS");
    let mut nodes = nodes.split(',');
    let [first, second, third] = places([(); 3].map(|()| nodes.next().unwrap().to_owned()));
    let beside = |place: Place| TestDatabase {
        store: Arc::new(DieselStore::<diesel::MysqlConnection>::connect(
            &place.url, 8,
        )),
        url: place.url,
        table: "sessions".into(),
        clean_up: Some(Box::new(|| ())),
    };
    [migrated_mariadb(first), beside(second), beside(third)]
}

/// Databases of one name on two servers that know nothing of each other; the first server is there
/// for tests that stop it or close it to writes.
#[cfg(feature = "mysql")]
pub fn two_mariadb() -> [TestDatabase; 2] {
    let first = crate::provided("second_mariadb", "TEST_SECOND_MYSQL_URL");
    let second = crate::provided("mariadb", "TEST_MYSQL_URL");
    places([first, second]).map(migrated_mariadb)
}

/// On a server that logs statements, and takes none of more than 1 MiB.
#[cfg(feature = "mysql")]
pub fn unsuitable_mariadb() -> TestDatabase {
    let [place] = places([crate::provided(
        "unsuitable_mariadb",
        "TEST_UNSUITABLE_MYSQL_URL",
    )]);
    migrated_mariadb(place)
}

#[cfg(feature = "mysql")]
fn mariadb_place() -> Place {
    let [place] = places([crate::provided("mariadb", "TEST_MYSQL_URL")]);
    place
}

#[cfg(feature = "mysql")]
fn migrated_mariadb(place: Place) -> TestDatabase {
    let database = in_mariadb(place);
    migrate::<diesel::MysqlConnection>(&database.url);
    database
}

#[cfg(feature = "mysql")]
fn in_mariadb(Place { server, name, url }: Place) -> TestDatabase {
    // A server's own default may be any character set: the migrations have to do without it.
    execute::<diesel::MysqlConnection>(
        &server,
        &format!("CREATE DATABASE {name} CHARACTER SET latin1"),
    );
    let store = Arc::new(DieselStore::<diesel::MysqlConnection>::connect(&url, 8));
    let drop_it =
        move || execute::<diesel::MysqlConnection>(&server, &format!("DROP DATABASE {name}"));
    TestDatabase {
        url,
        store,
        table: "sessions".into(),
        clean_up: Some(Box::new(drop_it)),
    }
}

#[cfg(feature = "postgres")]
pub fn postgresql() -> TestDatabase {
    let [place] = places([crate::provided("postgresql", "TEST_POSTGRES_URL")]);
    in_postgresql(place)
}

/// The same as [`two_mariadb`] with PostgreSQL.
#[cfg(feature = "postgres")]
pub fn two_postgresql() -> [TestDatabase; 2] {
    let first = crate::provided("second_postgresql", "TEST_SECOND_POSTGRES_URL");
    let second = crate::provided("postgresql", "TEST_POSTGRES_URL");
    places([first, second]).map(in_postgresql)
}

/// A database of PostgreSQL, and its URLs by PgBouncer in the modes transaction, statement and
/// session.
#[cfg(feature = "postgres")]
pub fn pgbouncer() -> (TestDatabase, [String; 3]) {
    let database = postgresql();
    let (_, name) = database.url.rsplit_once('/').unwrap();
    let poolers = crate::provided("pgbouncer", "TEST_PGBOUNCER_URLS");
    let mut poolers = poolers.split(',').map(|url| {
        let (authority, _) = url.rsplit_once('/').unwrap();
        format!("{authority}/{name}")
    });
    let urls = [(); 3].map(|()| poolers.next().unwrap());
    (database, urls)
}

#[cfg(feature = "postgres")]
fn in_postgresql(Place { server, name, url }: Place) -> TestDatabase {
    execute::<diesel::PgConnection>(&server, &format!("CREATE DATABASE {name}"));
    migrate::<diesel::PgConnection>(&url);
    let store = Arc::new(DieselStore::<diesel::PgConnection>::connect(&url, 8));
    let drop_it = move || {
        execute::<diesel::PgConnection>(&server, &format!("DROP DATABASE {name} WITH (FORCE)"))
    };
    TestDatabase {
        url,
        store,
        table: "sessions".into(),
        clean_up: Some(Box::new(drop_it)),
    }
}

/// A database by its number on one server.
#[cfg(feature = "redis")]
pub fn redis() -> TestDatabase {
    let server = crate::provided("redis", "TEST_REDIS_URL");
    // Redis counts, so that tests in several processes do not meet.
    let count: u32 = redis::ask(&server, &["INCR", "databases"]).parse().unwrap();
    let url = format!("{server}/{}", count % 4_095 + 1);
    redis::ask(&url, &["FLUSHDB"]);
    in_redis(url, "sessions")
}

/// A prefix in a cluster, which has no databases.
#[cfg(feature = "redis")]
pub fn redis_cluster() -> TestDatabase {
    let table = format!("test_{:016x}", fastrand::u64(..));
    in_redis(
        crate::provided("redis_cluster", "TEST_REDIS_CLUSTER_URL"),
        &table,
    )
}

#[cfg(feature = "redis")]
pub fn in_redis(url: String, table: &str) -> TestDatabase {
    let store = RedisStore::connect(&url, 8).unwrap().with_prefix(table);
    let store = Arc::new(store);
    let everything = store.clone();
    TestDatabase {
        url,
        store,
        table: table.to_owned(),
        clean_up: Some(Box::new(move || drop(everything.clear()))),
    }
}

#[cfg(not(feature = "redis"))]
pub fn redis() -> TestDatabase {
    panic!("built without the feature redis: run with --all-features");
}

#[cfg(not(feature = "redis"))]
pub fn redis_cluster() -> TestDatabase {
    redis()
}

#[cfg(not(feature = "mysql"))]
pub fn mariadb() -> TestDatabase {
    panic!("built without the feature mysql: run with --all-features");
}

#[cfg(not(feature = "postgres"))]
pub fn postgresql() -> TestDatabase {
    panic!("built without the feature postgres: run with --all-features");
}

/// A new name on a server, and the URL of the database of that name.
#[cfg(any(feature = "mysql", feature = "postgres"))]
struct Place {
    server: String,
    name: String,
    url: String,
}

/// One name on each of these servers.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn places<const N: usize>(servers: [String; N]) -> [Place; N] {
    let name = format!("test_{:016x}", fastrand::u64(..));
    servers.map(|server| {
        let (authority, _) = server.rsplit_once('/').unwrap();
        let (url, name) = (format!("{authority}/{name}"), name.clone());
        Place { server, name, url }
    })
}

fn execute<C: Connection>(url: &str, sql: &str) {
    C::establish(url).unwrap().batch_execute(sql).unwrap();
}

fn migrate<C: Connection + MigrationHarness<C::Backend>>(url: &str) {
    C::establish(url)
        .unwrap()
        .run_pending_migrations(MIGRATIONS)
        .unwrap();
}
