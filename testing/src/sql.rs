//! Statements that a test runs on its database, beside the application.

#[cfg(feature = "mysql")]
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};

use crate::database::TestDatabase;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Runs its body with a new connection of the backend's own type.
macro_rules! on {
    ($database:expr, |$connection:ident| $work:expr) => {{
        let (scheme, path) = $database.url.split_once(':').unwrap();
        match scheme {
            #[cfg(feature = "mysql")]
            "mysql" => {
                let $connection = &mut diesel::MysqlConnection::establish(&$database.url).unwrap();
                $work
            }
            #[cfg(feature = "postgres")]
            "postgres" => {
                let $connection = &mut diesel::PgConnection::establish(&$database.url).unwrap();
                $work
            }
            _ => {
                let $connection = &mut diesel::SqliteConnection::establish(path).unwrap();
                $connection
                    .batch_execute("PRAGMA busy_timeout = 5000")
                    .unwrap();
                $work
            }
        }
    }};
}

#[cfg(feature = "mysql")]
#[derive(QueryableByName)]
struct Variable {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// MariaDB's count of all its statements; asking is one of them.
#[cfg(feature = "mysql")]
pub fn statements(connection: &mut diesel::MysqlConnection) -> u64 {
    let question = sql_query("SHOW GLOBAL STATUS LIKE 'Questions'");
    let answer: Variable = question.get_result(connection).unwrap();
    answer.value.parse().unwrap()
}

/// Waits until no other connection sends statements, for example because it is being opened.
#[cfg(feature = "mysql")]
pub fn wait_until_quiet(connection: &mut diesel::MysqlConnection) {
    let timeout = Duration::from_secs(10);
    crate::server::wait_until("the database is quiet", timeout, || {
        let before = statements(connection);
        std::thread::sleep(Duration::from_millis(200));
        statements(connection) == before + 1
    });
}

/// "sqlite", "mysql" or "postgres".
pub fn backend(database: &TestDatabase) -> &str {
    database.url.split_once(':').unwrap().0
}

/// Whether a connection writes to the file of SQLite.
pub fn is_locked(database: &TestDatabase) -> bool {
    let (_, path) = database.url.split_once(':').unwrap();
    let mut connection = diesel::SqliteConnection::establish(path).unwrap();
    connection.batch_execute("BEGIN IMMEDIATE").is_err()
}

/// Carries out statements.
pub fn execute(database: &TestDatabase, statements: &str) {
    on!(database, |connection| connection
        .batch_execute(statements)
        .unwrap());
}

/// Has the database carry out a statement at an event of the table of sessions, for each row.
pub fn at_each(database: &TestDatabase, event: &str, statement: &str) {
    let trigger = format!("CREATE TRIGGER beside {event} ON sessions FOR EACH ROW");
    let create = match backend(database) {
        "mysql" => format!("{trigger} {statement}"),
        "postgres" => format!(
            "CREATE FUNCTION beside() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS \
             $$ BEGIN {statement}; RETURN COALESCE(NEW, OLD); END $$; \
             {trigger} EXECUTE FUNCTION beside()"
        ),
        _ => format!("{trigger} BEGIN {statement}; END"),
    };
    execute(database, &create);
}

/// A connection that stays open, for a transaction beside the application.
pub fn connection(database: &TestDatabase) -> Box<dyn FnMut(&str) + Send> {
    let (scheme, path) = database.url.split_once(':').unwrap();
    match scheme {
        #[cfg(feature = "mysql")]
        "mysql" => statements_on::<diesel::MysqlConnection>(&database.url),
        #[cfg(feature = "postgres")]
        "postgres" => statements_on::<diesel::PgConnection>(&database.url),
        _ => statements_on::<diesel::SqliteConnection>(path),
    }
}

fn statements_on<C: Connection + 'static>(url: &str) -> Box<dyn FnMut(&str) + Send> {
    let mut connection = C::establish(url).unwrap();
    Box::new(move |statements| connection.batch_execute(statements).unwrap())
}

/// The column `text` of all rows.
pub fn texts(database: &TestDatabase, select: &str) -> Vec<String> {
    let rows: Vec<Row> = on!(database, |connection| sql_query(select)
        .load(connection)
        .unwrap());
    rows.into_iter().map(|row| row.text).collect()
}

/// How many rows fit a condition.
pub fn count(database: &TestDatabase, rows: &str) -> usize {
    texts(database, &format!("SELECT '' AS text FROM {rows}")).len()
}
