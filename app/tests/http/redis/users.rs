//! Runs the application with its users in SQL and its sessions in Redis.

use std::time::Duration;

use testing::accounts::{EMAIL, PASSWORD, cookie, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::redis::Redis;
use testing::server::wait_until;
use testing::sql;
use testing::visitor::Visitor;

const NEW_PASSWORD: &str = "staple battery horse";

/// Configures two databases: SQL for users, and one with these settings for sessions.
pub(crate) fn settings(
    users: &TestDatabase,
    sessions: &str,
    table: &str,
) -> [(&'static str, String); 2] {
    let databases = format!("{{app={{url={:?}}},sessions={{{sessions}}}}}", users.url);
    let session = format!(r#"{{database="sessions",users="app",table="{table}"}}"#);
    [("ROCKET_DATABASES", databases), ("ROCKET_SESSION", session)]
}

fn application(users: &TestDatabase, sessions: &TestDatabase) -> Application {
    let variables = settings(users, &format!("url={:?}", sessions.url), &sessions.table);
    Application::start_with(users, &variables.each_ref().map(|(k, v)| (*k, &**v)))
}

/// Without either of them, pages of signed-in users cannot be shown.
#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn an_application_is_ready_with_both_databases() {
    let (users, redis) = (database::sqlite(), Redis::start(&[]));
    let sessions = redis.database();
    let variables = settings(&users, &format!("url={:?}", sessions.url), &sessions.table);
    let soon = ("ROCKET_HEALTH", "{ready_within=2}");
    let [databases, session] = variables.each_ref().map(|(k, v)| (*k, &**v));
    let application = Application::start_with(&users, &[databases, session, soon]);
    let visitor = application.visitor();
    let becomes = |status: u16| {
        wait_until("ready or not", Duration::from_secs(20), || {
            visitor.get("/health/ready").status == status
        });
    };
    becomes(200);
    redis.stop();
    becomes(503);
    redis.go_on();
    becomes(200);
    sql::execute(&users, "ALTER TABLE users RENAME TO aside");
    becomes(503);
    sql::execute(&users, "ALTER TABLE aside RENAME TO users");
    becomes(200);
}

fn devices(visitor: &Visitor) -> usize {
    let devices = visitor.get("/api/v1/devices").json();
    devices.as_array().unwrap().len()
}

fn users_in_sql_have_their_sessions_in_redis(users: &TestDatabase, sessions: &TestDatabase) {
    let application = application(users, sessions);
    let [ada, telephone, grace] = [(); 3].map(|()| application.visitor());
    assert_eq!(register(&ada, EMAIL, &[]).location(), "/home");
    register(&grace, "grace@example.org", &[]);
    assert_eq!(sign_in(&telephone, EMAIL, PASSWORD).location(), "/home");
    assert!(ada.get("/home").body.contains(EMAIL));
    assert_eq!((devices(&ada), devices(&grace)), (2, 1));
    assert_eq!(sessions.store.count(0).unwrap(), 3);
    assert_eq!(sql::count(users, "users"), 2);
    assert_eq!(sql::count(users, "sessions"), 0);

    let fields = [("current", PASSWORD), ("new", NEW_PASSWORD)];
    let changed = ada.post("/account/password", &fields);
    assert_eq!(changed.location(), "/account");
    assert!(is_signed_in(&ada) && !is_signed_in(&telephone) && is_signed_in(&grace));
    assert_eq!(sign_in(&telephone, EMAIL, PASSWORD).status, 401);
    assert_eq!(sign_in(&telephone, EMAIL, NEW_PASSWORD).location(), "/home");

    let before = cookie(&sign_in(&ada, EMAIL, NEW_PASSWORD));
    assert!(is_signed_in(&application.visitor_with(&before)));
    assert_eq!(ada.post("/logout", &[]).location(), "/login?signed_out");
    assert!(!is_signed_in(&ada) && !is_signed_in(&application.visitor_with(&before)));
    assert!(is_signed_in(&telephone));

    let disabled = format!("UPDATE users SET disabled_at = 1 WHERE email = '{EMAIL}'");
    sql::execute(users, &disabled);
    assert!(!is_signed_in(&telephone) && is_signed_in(&grace));
    assert_eq!(sign_in(&ada, EMAIL, NEW_PASSWORD).status, 401);
    sql::execute(users, "DELETE FROM users");
    assert!(!is_signed_in(&grace));
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn users_in_sqlite_have_their_sessions_in_redis() {
    users_in_sql_have_their_sessions_in_redis(&database::sqlite(), &database::redis());
}

#[test]
#[ignore = "needs MariaDB and Redis: run ./test.sh"]
fn users_in_mariadb_have_their_sessions_in_a_cluster() {
    users_in_sql_have_their_sessions_in_redis(&database::mariadb(), &database::redis_cluster());
}

/// Neither account nor session exists until Redis is back, then both do.
#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn nobody_gets_an_account_whose_session_redis_does_not_take() {
    let (users, redis) = (database::sqlite(), Redis::start(&[]));
    let application = application(&users, &redis.database());
    let visitor = application.visitor();
    redis.stop();
    let refused = register(&visitor, EMAIL, &[]);
    assert_eq!((refused.status, refused.cookies().len()), (503, 0));
    assert_eq!(sql::count(&users, "users"), 0);
    redis.go_on();
    assert_eq!(register(&visitor, EMAIL, &[]).location(), "/home");
    assert!(visitor.get("/home").body.contains(EMAIL));
}
