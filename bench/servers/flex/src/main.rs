//! Rocket with rocket_flex_session on SQLite, or on Redis and users in MariaDB.

mod data;

use std::env::var;
use std::time::Duration;

use fred::prelude::{Builder, ClientLike, Config};
use rocket::http::Status;
use rocket::{Build, Rocket, State, get, post, routes};
use rocket_flex_session::storage::redis::RedisFredStorage;
use rocket_flex_session::storage::sqlx::SqlxSqliteStorage;
use rocket_flex_session::{RocketFlexSession, RocketFlexSessionOptions, Session};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use data::Data;

enum Users {
    Mysql(sqlx::MySqlPool),
    Sqlite(sqlx::SqlitePool),
}

#[get("/hello")]
fn hello() -> &'static str {
    "hello"
}

#[get("/ping")]
fn ping() -> &'static str {
    "pong"
}

#[get("/visits")]
fn visits(session: Session<'_, Data>) -> Result<String, Status> {
    let visits = session.tap(|data| data.map(|data| data.visits));
    let visits = visits.ok_or(Status::Unauthorized)?;
    Ok(format!("visits: {visits}"))
}

#[post("/visits")]
fn visit(mut session: Session<'_, Data>) -> Result<String, Status> {
    let visits = session.tap_mut(|data| {
        let data = data.as_mut()?;
        data.visits += 1;
        Some(data.visits)
    });
    let visits = visits.ok_or(Status::Unauthorized)?;
    Ok(format!("visits: {visits}"))
}

#[get("/me")]
async fn me(session: Session<'_, Data>, users: &State<Users>) -> Result<String, Status> {
    let id = session.tap(|data| data.and_then(|data| data.user_id));
    let id = id.ok_or(Status::Unauthorized)?;
    let text = "SELECT id, email, name FROM users WHERE id = ?";
    let user = match users.inner() {
        Users::Mysql(pool) => sqlx::query_as(text).bind(id).fetch_one(pool).await,
        Users::Sqlite(pool) => sqlx::query_as(text).bind(id).fetch_one(pool).await,
    };
    let (_, email, _): (i32, String, String) = user.unwrap();
    Ok(email)
}

#[get("/anon")]
fn anon(mut session: Session<'_, Data>) -> &'static str {
    session.set(Data {
        theme: "v".into(),
        ..Data::default()
    });
    "created"
}

#[get("/login?<uid>")]
fn login(uid: i32, mut session: Session<'_, Data>) -> &'static str {
    session.set(Data {
        user_id: Some(uid),
        visits: 0,
        csrf: "0123456789abcdef0123456789abcdef".into(),
        locale: "en-GB".into(),
        theme: "dark".into(),
        last: "/catalogue/lamps/desk/4711".into(),
        pad: "x".repeat(150),
    });
    "ok"
}

fn not_secure(options: &mut RocketFlexSessionOptions) {
    options.secure = false;
}

async fn with_sqlite(rocket: Rocket<Build>, file: &str) -> Rocket<Build> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new()
        .max_connections(10)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .unwrap();
    let storage = SqlxSqliteStorage::builder()
        .pool(pool.clone())
        .table_name("sessions")
        .build();
    let sessions = RocketFlexSession::<Data>::builder()
        .storage(storage)
        .with_options(not_secure)
        .build();
    rocket.manage(Users::Sqlite(pool)).attach(sessions)
}

async fn with_redis(rocket: Rocket<Build>, url: &str) -> Rocket<Build> {
    let pool = Builder::from_config(Config::from_url(url).unwrap());
    let pool = pool.build_pool(4).unwrap();
    pool.init().await.unwrap();
    let users = MySqlPoolOptions::new()
        .max_connections(10)
        .test_before_acquire(false)
        .connect(&var("USERS_URL").unwrap())
        .await
        .unwrap();
    let sessions = RocketFlexSession::<Data>::builder()
        .storage(RedisFredStorage::builder().pool(pool).build())
        .with_options(not_secure)
        .build();
    rocket.manage(Users::Mysql(users)).attach(sessions)
}

#[rocket::launch]
async fn rocket() -> _ {
    let port: u16 = var("PORT").unwrap().parse().unwrap();
    let figment = rocket::Config::figment()
        .merge(("port", port))
        .merge(("address", "127.0.0.1"))
        .merge(("log_level", "off"));
    let rocket =
        rocket::custom(figment).mount("/", routes![hello, ping, visits, visit, me, anon, login]);
    match var("REDIS_URL") {
        Ok(url) => with_redis(rocket, &url).await,
        Err(_) => with_sqlite(rocket, &var("SQLITE_FILE").unwrap()).await,
    }
}
