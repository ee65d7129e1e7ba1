//! The Rocket application beside the Express application in `express/`: it takes over its routes
//! one by one, under `/new`, while both serve the same signed-in visitors.
//!
//! `README.md` in this folder says how to start them.

use pbkdf2::Pbkdf2;
use pbkdf2::password_hash::PasswordVerifier;
use pbkdf2::phc::PasswordHash;
use rocket::form::{Form, FromForm};
use rocket::http::Status;
use rocket::response::Redirect;
use rocket::serde::json::Json;
use rocket::serde::{Deserialize, Serialize};
use rocket::tokio::task::spawn_blocking;
use rocket::{get, post, routes};
use rocket_diesel_session::{Error, Session, Sessions};

struct User {
    id: u32,
    name: &'static str,
    password: &'static str,
}

/// Stands for your users' table, which both applications read.
const USERS: [User; 2] = [
    User {
        id: 7,
        name: "ada",
        password: "$pbkdf2-sha256$i=600000,l=32$b3duIHVzZXJzLCBzYWx0IQ$oT/ucI4o1eIVUn0ZUOPNp/o8xmPKFySSzlHBQerxDWo",
    },
    User {
        id: 8,
        name: "grace",
        password: "$pbkdf2-sha256$i=600000,l=32$b3duIHVzZXJzLCBzYWx0Pw$n+NdHd9S4WuLsBGUSnwclAdS/NoCgvuKrPw295HLV54",
    },
];

/// Values that Express keeps in a session under these names.
#[derive(Default, Deserialize, Serialize)]
#[serde(crate = "rocket::serde", default)]
struct Shop {
    visits: u64,
    cart: Vec<String>,
}

#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct Me {
    user: Option<&'static str>,
    #[serde(flatten)]
    shop: Shop,
}

#[derive(FromForm)]
struct Credentials {
    username: String,
    password: String,
}

#[get("/me")]
fn me(session: &Session) -> Result<Json<Me>, Error> {
    let id = session.user_id();
    let user = id.and_then(|id| USERS.iter().find(|user| user.id.to_string() == id));
    Ok(Json(Me {
        user: user.map(|user| user.name),
        shop: session.data()?,
    }))
}

#[post("/visits")]
fn visit(session: &Session) -> Result<Redirect, Error> {
    session.update("visits", |visits: u64| visits + 1)?;
    Ok(Redirect::to("/"))
}

#[post("/cart/<article>")]
fn add(session: &Session, article: &str) -> Result<Redirect, Error> {
    let article = article.to_owned();
    session.update("cart", move |mut cart: Vec<String>| {
        cart.push(article.clone());
        cart
    })?;
    Ok(Redirect::to("/"))
}

#[post("/login", data = "<form>")]
async fn login(
    session: &Session,
    form: Form<Credentials>,
) -> Result<Result<Redirect, Status>, Error> {
    let Credentials { username, password } = form.into_inner();
    let Some(user) = USERS.iter().find(|user| user.name == username) else {
        return Ok(Err(Status::Unauthorized));
    };
    // It takes long on purpose, which must not hold up other requests.
    match spawn_blocking(|| fits(password, user.password)).await {
        Ok(true) => session.log_in(user.id).map(|()| Ok(Redirect::to("/"))),
        _ => Ok(Err(Status::Unauthorized)),
    }
}

fn fits(password: String, stored: &str) -> bool {
    let verify = |hash| Pbkdf2::default().verify_password(password.as_bytes(), &hash);
    PasswordHash::new(stored).is_ok_and(|hash| verify(hash).is_ok())
}

#[post("/logout")]
fn logout(session: &Session) -> Redirect {
    session.log_out();
    Redirect::to("/")
}

#[rocket::launch]
fn rocket() -> _ {
    rocket::build()
        .mount("/new", routes![me, visit, add, login, logout])
        .attach(Sessions::fairing())
}
