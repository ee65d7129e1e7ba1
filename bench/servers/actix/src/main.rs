//! actix-web with actix-session on Redis, and users in MariaDB.

use std::env::var;

use actix_session::config::PersistentSession;
use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, time::Duration};
use actix_web::error::ErrorUnauthorized;
use actix_web::{App, Error, HttpServer, web};
use serde::Deserialize;
use sqlx::MySqlPool;
use sqlx::mysql::MySqlPoolOptions;

#[derive(Deserialize)]
struct Login {
    uid: i32,
}

async fn visits(session: Session) -> Result<String, Error> {
    let visits: Option<i64> = session.get("visits")?;
    let visits = visits.ok_or_else(|| ErrorUnauthorized("no session"))?;
    Ok(format!("visits: {visits}"))
}

async fn visit(session: Session) -> Result<String, Error> {
    let visits: Option<i64> = session.get("visits")?;
    let visits = visits.ok_or_else(|| ErrorUnauthorized("no session"))? + 1;
    session.insert("visits", visits)?;
    Ok(format!("visits: {visits}"))
}

async fn me(session: Session, pool: web::Data<MySqlPool>) -> Result<String, Error> {
    let id: Option<i32> = session.get("user_id")?;
    let user = sqlx::query_as("SELECT id, email, name FROM users WHERE id = ?");
    let user = user.bind(id.ok_or_else(|| ErrorUnauthorized("no session"))?);
    let (_, email, _): (i32, String, String) = user.fetch_one(pool.get_ref()).await.unwrap();
    Ok(email)
}

async fn anon(session: Session) -> Result<&'static str, Error> {
    session.insert("k", "v")?;
    Ok("created")
}

async fn login(session: Session, login: web::Query<Login>) -> Result<&'static str, Error> {
    session.insert("user_id", login.uid)?;
    session.insert("visits", 0)?;
    session.insert("csrf", "0123456789abcdef0123456789abcdef")?;
    session.insert("locale", "en-GB")?;
    session.insert("theme", "dark")?;
    session.insert("last", "/catalogue/lamps/desk/4711")?;
    session.insert("pad", "x".repeat(150))?;
    Ok("ok")
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    // Without a statement before each use of a connection, which sqlx sends by default.
    let pool = MySqlPoolOptions::new()
        .max_connections(10)
        .test_before_acquire(false)
        .connect(&var("USERS_URL").unwrap())
        .await
        .unwrap();
    let store = RedisSessionStore::new(var("REDIS_URL").unwrap());
    let store = store.await.unwrap();
    let application = move || {
        let lifetime = PersistentSession::default().session_ttl(Duration::days(1));
        let sessions = SessionMiddleware::builder(store.clone(), Key::from(&[7; 64]))
            .cookie_secure(false)
            .session_lifecycle(lifetime)
            .build();
        let behind_sessions = web::scope("")
            .wrap(sessions)
            .route("/ping", web::get().to(async || "pong"))
            .route("/visits", web::get().to(visits))
            .route("/visits", web::post().to(visit))
            .route("/me", web::get().to(me))
            .route("/anon", web::get().to(anon))
            .route("/login", web::get().to(login));
        App::new()
            .app_data(web::Data::new(pool.clone()))
            .route("/hello", web::get().to(async || "hello"))
            .service(behind_sessions)
    };
    let port = var("PORT").unwrap().parse().unwrap();
    let server = HttpServer::new(application).workers(2);
    server.bind(("127.0.0.1", port))?.run().await
}
