//! An account without the right to create tables.

use testing::database::TestDatabase;
use testing::server::{Server, example, refusal};

fn without_the_right_a_table_that_is_there_is_used(database: &TestDatabase, account: &str) {
    let (scheme, rest) = database.url.split_once("://").unwrap();
    let (_, place) = rest.rsplit_once('@').unwrap();
    let entry = format!("url=\"{scheme}://{account}@{place}\"");
    let mut busy = example("busy");
    drop(Server::on(&mut busy, &entry, "cookie={secure=false}"));
    database.run("DROP TABLE sessions");
    let line = refusal(&entry, "");
    for words in [
        "databases.app: the sessions table does not exist and was not created: ",
        "give the account the right to create tables, or run the migrations",
    ] {
        assert!(line.contains(words), "{line}");
    }
}

#[cfg(feature = "mysql")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn without_the_right_a_table_of_mariadb_that_is_there_is_used() {
    use diesel::{Connection, MysqlConnection, connection::SimpleConnection};
    let database = testing::database::mariadb();
    let (authority, name) = database.url.rsplit_once('/').unwrap();
    let (_, server) = authority.rsplit_once('@').unwrap();
    let mut root = MysqlConnection::establish(&format!("mysql://root@{server}/mysql")).unwrap();
    let mut run = |sql: &str| root.batch_execute(sql).unwrap();
    run(&format!(
        "CREATE USER {name}@'%' IDENTIFIED BY 'session'; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO {name}@'%'"
    ));
    let account = format!("{name}:session");
    without_the_right_a_table_that_is_there_is_used(&database, &account);
    run(&format!("DROP USER {name}@'%'"));
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn without_the_right_a_table_of_postgresql_that_is_there_is_used() {
    let database = testing::database::postgresql();
    let (_, name) = database.url.rsplit_once('/').unwrap();
    database.run(&format!("CREATE ROLE {name} LOGIN"));
    database.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    database.run(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}"
    ));
    without_the_right_a_table_that_is_there_is_used(&database, name);
    database.run(&format!("DROP OWNED BY {name}"));
    database.run(&format!("DROP ROLE {name}"));
}
