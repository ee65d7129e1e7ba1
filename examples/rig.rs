//! A server for the side-by-side measurements of `bench/`: the routes that every server there has,
//! on this crate.
//!
//! ```sh
//! PORT=8601 DATABASE_URL=sqlite:app.db cargo run --release --example rig
//! ```
//!
//! With `WITH_USER`, which `GET /me` needs, each session is loaded with the row of its user in the
//! table `users`. `USERS_URL` is the database of this table, if the sessions are in Redis. `POOL` is
//! the number of connections. With the feature `metrics` it counts for an exporter that nobody reads.

use std::env;

use rocket::figment::Figment;
use rocket::figment::providers::Env;
use rocket::serde::Deserialize;
use rocket::{get, post, routes};
use rocket_diesel_session::{Error, Session, Sessions};

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct User {
    email: String,
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
fn me(session: &Session) -> Result<Option<String>, Error> {
    Ok(session.user::<User>()?.map(|user| user.email))
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
    let variables = Env::raw().only(&["PORT", "DATABASE_URL", "POOL", "USERS_URL"]);
    let variables = variables.map(|name| match name.as_str() {
        "DATABASE_URL" => "databases.app.url".into(),
        "POOL" => "databases.app.pool_size".into(),
        "USERS_URL" => "databases.users.url".into(),
        other => other.to_owned().into(),
    });
    let figment = rocket::Config::figment()
        .merge(("address", "127.0.0.1"))
        .merge(("log_level", "off"))
        .merge(("session.cookie.secure", false))
        .merge(("session.idle_timeout", "24h"))
        .merge(("session.absolute_timeout", "24h"))
        .merge(variables);
    match env::var_os("USERS_URL") {
        Some(_) => figment.merge(("session.users", "users")),
        None => figment,
    }
}

/// Counts as with an exporter, which empties its histograms every five seconds.
#[cfg(feature = "metrics")]
fn install_recorder() -> Result<(), metrics_exporter_prometheus::BuildError> {
    use std::thread::{sleep, spawn};
    use std::time::Duration;

    let buckets = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    ];
    let builder = metrics_exporter_prometheus::PrometheusBuilder::new();
    let recorder = builder.set_buckets(&buckets)?.install_recorder()?;
    spawn(move || {
        loop {
            sleep(Duration::from_secs(5));
            recorder.run_upkeep();
        }
    });
    Ok(())
}

#[rocket::launch]
fn rocket() -> _ {
    #[cfg(feature = "metrics")]
    if let Err(error) = install_recorder() {
        eprintln!("nothing counts: {error}");
    }
    let sessions = match env::var_os("WITH_USER") {
        Some(_) => Sessions::fairing().with_user("users", "id", &["email"]),
        None => Sessions::fairing(),
    };
    rocket::custom(figment())
        .mount("/", routes![hello, ping, visits, visit, me, anon, login])
        .attach(sessions)
}
