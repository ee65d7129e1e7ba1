//! An application with an existing users' table, whose keys are numbers.
//!
//! ```sh
//! sqlite3 app.db < examples/own_users/members.sql
//! cargo run --example own_users
//! ```

use diesel::prelude::*;
use pbkdf2::Pbkdf2;
use pbkdf2::password_hash::PasswordVerifier;
use pbkdf2::phc::PasswordHash;
use rocket::figment::Figment;
use rocket::form::{Form, FromForm};
use rocket::http::Status;
use rocket::response::{Redirect, content::RawHtml};
use rocket::serde::Deserialize;
use rocket::tokio::task::spawn_blocking;
use rocket::{Build, Config, Rocket, get, post, routes};
use rocket_diesel_session::sign_in::{Account, SignedIn};
use rocket_diesel_session::{Database, Error, Session, Sessions};

use schema::members;

mod schema {
    diesel::table! {
        members (number) {
            number -> Integer,
            nickname -> Text,
            secret -> Text,
            is_closed -> Bool,
        }
    }
}

/// The columns of a member's row that are loaded with the session.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Member {
    nickname: String,
    is_closed: bool,
}

impl Account for Member {
    fn is_open(&self) -> bool {
        !self.is_closed
    }
}

#[derive(FromForm)]
struct Credentials {
    nickname: String,
    password: String,
}

#[get("/")]
fn club(member: SignedIn<Member>) -> String {
    format!("Welcome to the club, {}.", member.nickname)
}

#[get("/sign_in")]
fn sign_in_page() -> RawHtml<&'static str> {
    RawHtml(
        r#"<form method="post"><input name="nickname"><input name="password" type="password">
           <button>Sign in</button></form>"#,
    )
}

#[post("/sign_in", data = "<form>")]
async fn sign_in(
    form: Form<Credentials>,
    session: &Session,
    database: &Database,
) -> Result<Result<Redirect, Status>, Error> {
    let Credentials { nickname, password } = form.into_inner();
    let find = move |connection: &mut SqliteConnection| {
        let is_open = members::is_closed.eq(false);
        let member = members::table.filter(members::nickname.eq(&nickname).and(is_open));
        let columns = member.select((members::number, members::secret));
        columns.first::<(i32, String)>(connection).optional()
    };
    let Some((number, secret)) = database.run(find).await? else {
        return Ok(Err(Status::Unauthorized));
    };
    // It takes long on purpose, which must not hold up other requests.
    match spawn_blocking(move || fits(&password, &secret)).await {
        Ok(true) => session.log_in(number)?,
        _ => return Ok(Err(Status::Unauthorized)),
    }
    Ok(Ok(Redirect::to(session.return_to("/"))))
}

fn fits(password: &str, secret: &str) -> bool {
    let hash = PasswordHash::new(secret);
    let verify = |hash| Pbkdf2::default().verify_password(password.as_bytes(), &hash);
    hash.is_ok_and(|hash| verify(hash).is_ok())
}

#[post("/sign_out")]
fn sign_out(session: &Session) -> Redirect {
    session.log_out();
    Redirect::to("/")
}

fn application(figment: Figment) -> Rocket<Build> {
    rocket::custom(figment)
        .mount("/", routes![club, sign_in_page, sign_in, sign_out])
        .attach(
            Sessions::fairing()
                .with_user("members", "number", &["nickname", "is_closed"])
                .with_sign_in_page("/sign_in"),
        )
}

#[rocket::launch]
fn rocket() -> _ {
    application(Config::figment())
}

#[cfg(test)]
mod tests;
