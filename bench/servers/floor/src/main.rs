//! Rocket and Diesel with hand-written queries and no session library. `DATABASE_URL` begins with
//! `mysql:`, or is a file of SQLite.

mod queries;

use std::env::var;

use rocket::http::{Cookie, CookieJar, Status};
use rocket::serde::json::serde_json::{Value, json};
use rocket::tokio::task::spawn_blocking;
use rocket::{State, get, post, routes};

use queries::Database;

#[get("/hello")]
fn hello() -> &'static str {
    "hello"
}

#[get("/ping")]
fn ping() -> &'static str {
    "pong"
}

#[get("/visits")]
async fn visits(cookies: &CookieJar<'_>, database: &State<Database>) -> Result<String, Status> {
    let id = session_id(cookies)?;
    let data = run(database, move |database| database.load(&id)).await;
    let data: Value = parse(&data.ok_or(Status::Unauthorized)?);
    Ok(format!("visits: {}", data["visits"]))
}

#[post("/visits")]
async fn visit(cookies: &CookieJar<'_>, database: &State<Database>) -> Result<String, Status> {
    let id = session_id(cookies)?;
    let increment = |data: &str| {
        let mut data = parse(data);
        let visits = data["visits"].as_i64().unwrap_or(0) + 1;
        data["visits"] = visits.into();
        (visits, data.to_string())
    };
    let visits = run(database, move |database| database.change(&id, increment)).await;
    Ok(format!("visits: {}", visits.ok_or(Status::Unauthorized)?))
}

#[get("/me")]
async fn me(cookies: &CookieJar<'_>, database: &State<Database>) -> Result<String, Status> {
    let id = session_id(cookies)?;
    let found = run(database, move |database| database.load_with_user(&id)).await;
    let (data, email) = found.ok_or(Status::Unauthorized)?;
    parse(&data);
    Ok(email)
}

#[get("/anon")]
async fn anon(cookies: &CookieJar<'_>, database: &State<Database>) -> &'static str {
    let id = new_session(cookies);
    let data = json!({ "k": "v" }).to_string();
    run(database, move |database| database.insert(&id, None, &data)).await;
    "created"
}

#[get("/login?<uid>")]
async fn login(uid: i32, cookies: &CookieJar<'_>, database: &State<Database>) -> &'static str {
    let id = new_session(cookies);
    let data = json!({
        "user_id": uid, "visits": 0, "csrf": "0123456789abcdef0123456789abcdef",
        "locale": "en-GB", "theme": "dark", "last": "/catalogue/lamps/desk/4711",
        "pad": "x".repeat(150),
    });
    let data = data.to_string();
    run(database, move |database| {
        database.insert(&id, Some(uid), &data)
    })
    .await;
    "ok"
}

fn session_id(cookies: &CookieJar<'_>) -> Result<String, Status> {
    let cookie = cookies.get("sid").ok_or(Status::Unauthorized)?;
    Ok(cookie.value().to_owned())
}

fn new_session(cookies: &CookieJar<'_>) -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    cookies.add(Cookie::build(("sid", id.clone())).http_only(true).path("/"));
    id
}

fn parse(data: &str) -> Value {
    rocket::serde::json::serde_json::from_str(data).unwrap()
}

async fn run<T: Send + 'static>(
    database: &State<Database>,
    work: impl FnOnce(&Database) -> T + Send + 'static,
) -> T {
    let database = database.inner().clone();
    spawn_blocking(move || work(&database)).await.unwrap()
}

#[rocket::launch]
fn rocket() -> _ {
    let port: u16 = var("PORT").unwrap().parse().unwrap();
    let figment = rocket::Config::figment()
        .merge(("port", port))
        .merge(("address", "127.0.0.1"))
        .merge(("log_level", "off"));
    rocket::custom(figment)
        .manage(Database::open(&var("DATABASE_URL").unwrap()))
        .mount("/", routes![hello, ping, visits, visit, me, anon, login])
}
