//! A server for the side-by-side measurements of `bench/`: the routes that every server there has,
//! on this crate.
//!
//! ```sh
//! PORT=8601 DATABASE_URL=sqlite:app.db cargo run --release --example rig --features mysql
//! ```
//!
//! The database has the table of `migrations/*_create_sessions` and users of the rig's own, who
//! are not this repository's: numbered, in SQLite's `users` or in MariaDB's `rig.users`. `POOL` is
//! the number of connections.

use diesel::prelude::*;
use rocket::figment::Figment;
use rocket::figment::providers::Env;
use rocket::{get, post, routes};
use rocket_diesel_session::{Database, Error, Session, Sessions};

mod sqlite {
    diesel::table! {
        users (id) {
            id -> Integer,
            email -> Text,
        }
    }
}

mod mysql {
    diesel::table! {
        rig.users (id) {
            id -> Integer,
            email -> Text,
        }
    }
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
fn visits(session: &Session) -> Result<String, Error> {
    let visits: u64 = session.get("visits")?.unwrap_or_default();
    Ok(format!("visits: {visits}"))
}

#[post("/visits")]
fn visit(session: &Session) -> Result<String, Error> {
    let visits = session.update("visits", |visits: u64| visits + 1)?;
    Ok(format!("visits: {visits}"))
}

#[get("/me")]
async fn me(session: &Session, database: &Database) -> Result<Option<String>, Error> {
    let Some(id) = session.user_id().and_then(|id| id.parse::<i32>().ok()) else {
        return Ok(None);
    };
    if database.is::<MysqlConnection>() {
        use mysql::users::dsl::{email, users};
        let user = move |connection: &mut MysqlConnection| {
            users.find(id).select(email).first(connection).optional()
        };
        return database.run(user).await;
    }
    use sqlite::users::dsl::{email, users};
    let user = move |connection: &mut SqliteConnection| {
        users.find(id).select(email).first(connection).optional()
    };
    database.run(user).await
}

#[get("/anon")]
fn anon(session: &Session) -> Result<&'static str, Error> {
    session.insert("k", "v")?;
    Ok("created")
}

/// Signs anybody in who asks, with about 300 bytes of data.
#[get("/login?<uid>")]
fn login(session: &Session, uid: i32) -> Result<&'static str, Error> {
    session.log_in(uid)?;
    session.insert("visits", 0)?;
    session.insert("csrf", "0123456789abcdef0123456789abcdef")?;
    session.insert("locale", "en-GB")?;
    session.insert("theme", "dark")?;
    session.insert("last", "/catalogue/lamps/desk/4711")?;
    session.insert("pad", "x".repeat(160))?;
    Ok("ok")
}

/// Rocket's own configuration, with the rig's settings and its variables on top.
fn figment() -> Figment {
    let variables = Env::raw().only(&["PORT", "DATABASE_URL", "POOL"]);
    let variables = variables.map(|name| match name.as_str() {
        "DATABASE_URL" => "databases.app.url".into(),
        "POOL" => "databases.app.pool_size".into(),
        other => other.to_owned().into(),
    });
    rocket::Config::figment()
        .merge(("address", "127.0.0.1"))
        .merge(("log_level", "off"))
        .merge(("session.cookie.secure", false))
        .merge(("session.idle_timeout", "24h"))
        .merge(("session.absolute_timeout", "24h"))
        .merge(variables)
}

#[rocket::launch]
fn rocket() -> _ {
    rocket::custom(figment())
        .mount("/", routes![hello, ping, visits, visit, me, anon, login])
        .attach(Sessions::fairing())
}
