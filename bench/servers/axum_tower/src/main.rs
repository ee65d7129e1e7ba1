//! axum with tower-sessions and its sqlx store, on MariaDB.

use std::env::var;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;
use sqlx::MySqlPool;
use sqlx::mysql::MySqlPoolOptions;
use tower_sessions::{Expiry, Session, SessionManagerLayer};
use tower_sessions_sqlx_store::MySqlStore;

#[derive(Deserialize)]
struct Login {
    uid: i32,
}

async fn visits(session: Session) -> Result<String, StatusCode> {
    let visits: Option<i64> = session.get("visits").await.unwrap();
    let visits = visits.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(format!("visits: {visits}"))
}

async fn visit(session: Session) -> Result<String, StatusCode> {
    let visits: Option<i64> = session.get("visits").await.unwrap();
    let visits = visits.ok_or(StatusCode::UNAUTHORIZED)? + 1;
    session.insert("visits", visits).await.unwrap();
    Ok(format!("visits: {visits}"))
}

async fn me(State(pool): State<MySqlPool>, session: Session) -> Result<String, StatusCode> {
    let id: Option<i32> = session.get("user_id").await.unwrap();
    let user = sqlx::query_as("SELECT id, email, name FROM users WHERE id = ?");
    let user = user.bind(id.ok_or(StatusCode::UNAUTHORIZED)?);
    let (_, email, _): (i32, String, String) = user.fetch_one(&pool).await.unwrap();
    Ok(email)
}

async fn anon(session: Session) -> &'static str {
    session.insert("k", "v").await.unwrap();
    "created"
}

async fn login(session: Session, Query(login): Query<Login>) -> &'static str {
    session.insert("user_id", login.uid).await.unwrap();
    session.insert("visits", 0).await.unwrap();
    let texts = [
        ("csrf", "0123456789abcdef0123456789abcdef"),
        ("locale", "en-GB"),
        ("theme", "dark"),
        ("last", "/catalogue/lamps/desk/4711"),
        ("pad", &"x".repeat(150)),
    ];
    for (key, text) in texts {
        session.insert(key, text).await.unwrap();
    }
    "ok"
}

#[tokio::main]
async fn main() {
    // Without a statement before each use of a connection, which sqlx sends by default.
    let pool = MySqlPoolOptions::new()
        .max_connections(10)
        .test_before_acquire(false)
        .connect(&var("DATABASE_URL").unwrap())
        .await
        .unwrap();
    let store = MySqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    let sessions = SessionManagerLayer::new(store)
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(time::Duration::days(1)));
    let application = Router::new()
        .route("/ping", get(|| async { "pong" }))
        .route("/visits", get(visits))
        .route("/visits", post(visit))
        .route("/me", get(me))
        .route("/anon", get(anon))
        .route("/login", get(login))
        .layer(sessions)
        .route("/hello", get(|| async { "hello" }))
        .with_state(pool);
    let port: u16 = var("PORT").unwrap().parse().unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await;
    axum::serve(listener.unwrap(), application).await.unwrap();
}
