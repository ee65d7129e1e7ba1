//! The sessions table in a database with the tables of an application.

use std::fs;
use std::path::Path;
use std::process::Command;

use diesel_migrations::MigrationHarness;
use rocket::local::blocking::Client;
use rocket_diesel_session::store::contract;
use rocket_diesel_session::{MIGRATIONS, Sessions};

use testing::application::make_empty;
use testing::database::{TestDatabase, with_connection};
use testing::server::{Server, example};

/// Makes the table, or keeps the one that is there.
type Way = fn(&TestDatabase);

fn by_the_setting(database: &TestDatabase) {
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("databases.app.url", &database.url));
    let rocket = rocket::custom(figment).attach(Sessions::fairing());
    Client::untracked(rocket).unwrap();
}

fn by_the_migrations_in_the_program(database: &TestDatabase) {
    use diesel::Connection;
    with_connection!(database, C => {
        let mut connection = C::establish(database.address()).unwrap();
        connection.run_pending_migrations(MIGRATIONS).map(drop).unwrap();
    });
}

fn by_the_diesel_cli(database: &TestDatabase) {
    run_diesel_cli(testing::root(), database.address());
}

fn run_diesel_cli(folder: &Path, url: &str) {
    let program = testing::provided("diesel_cli", "TEST_DIESEL_CLI");
    let output = Command::new(program)
        .current_dir(folder)
        .env("DATABASE_URL", url)
        .args(["migration", "run", "--migration-dir"])
        .arg(testing::root().join("src/store/sql/migrations"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Without any table but one of the application.
fn with_own_users(database: &TestDatabase) {
    make_empty(database);
    database.run("CREATE TABLE users (id BIGINT PRIMARY KEY, nickname VARCHAR(40))");
    database.run("INSERT INTO users VALUES (7, 'ada')");
}

fn whichever_way_comes_first_the_others_find_the_table(database: &TestDatabase) {
    let [setting, migrations, cli]: [Way; 3] = [
        by_the_setting,
        by_the_migrations_in_the_program,
        by_the_diesel_cli,
    ];
    with_own_users(database);
    for ways in [
        [setting, migrations, cli],
        [setting, cli, migrations],
        [migrations, setting, cli],
        [migrations, cli, setting],
        [cli, setting, migrations],
        [cli, migrations, setting],
    ] {
        let [first, second, third] = ways;
        first(database);
        let record = contract::record();
        database.store.insert(&record).unwrap();
        second(database);
        third(database);
        assert_eq!(database.store.load(&record.key, 0).unwrap(), Some(record));
        contract::check(&*database.store);
        database.run("DROP TABLE sessions");
        database.run("DROP TABLE __diesel_schema_migrations");
    }
    let users = database.lines("SELECT nickname AS line FROM users");
    assert_eq!(users, ["ada"]);
}

fn the_table_of_another_application_is_left_alone(database: &TestDatabase) {
    use diesel::Connection;
    make_empty(database);
    for (first, others) in [
        ("session_id VARCHAR(128)", "expires INT, data TEXT"),
        (
            "id VARCHAR(99)",
            "user_id INT, expires_at INT, payload TEXT",
        ),
    ] {
        database.run(&format!("CREATE TABLE sessions ({first}, {others})"));
        with_connection!(database, C => {
            let mut connection = C::establish(database.address()).unwrap();
            let run = connection.run_pending_migrations(MIGRATIONS);
            assert!(run.is_err(), "{first}");
        });
        let (column, _) = first.split_once(' ').unwrap();
        // It would fail if there were an index of this name.
        database.run(&format!(
            "CREATE INDEX sessions_user_id ON sessions ({column})"
        ));
        database.run("DROP TABLE sessions");
    }
}

/// As the guide to settings has it.
#[test]
#[ignore = "needs the Diesel CLI: run ./test.sh"]
fn one_url_of_sqlite_is_one_file_to_the_cli_and_to_rocket() {
    for is_absolute in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let url = match is_absolute {
            true => format!("sqlite://{}/app.db", folder.path().display()),
            false => "sqlite://app.db".to_owned(),
        };
        run_diesel_cli(folder.path(), &url);
        let mut busy = example("busy");
        busy.current_dir(folder.path());
        // Fails where the CLI has made its table in another file.
        let session = "create_table=false,cookie={secure=false}";
        drop(Server::on(&mut busy, &format!("url={url:?}"), session));
        for made in fs::read_dir(folder.path()).unwrap() {
            let made = made.unwrap().file_name().into_string().unwrap();
            assert!(made.starts_with("app.db"), "{made}");
        }
    }
}

mod sqlite {
    #[test]
    #[ignore = "needs the Diesel CLI: run ./test.sh"]
    fn whichever_way_comes_first_the_others_find_the_table() {
        super::whichever_way_comes_first_the_others_find_the_table(&testing::database::sqlite());
    }

    #[test]
    fn the_table_of_another_application_is_left_alone() {
        super::the_table_of_another_application_is_left_alone(&testing::database::sqlite());
    }
}

testing::on_each_server!(
    whichever_way_comes_first_the_others_find_the_table,
    the_table_of_another_application_is_left_alone,
);
