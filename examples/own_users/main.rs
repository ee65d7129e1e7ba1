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
use rocket::tokio::task::spawn_blocking;
use rocket::{Build, Config, Rocket, get, post, routes};
use rocket_diesel_session::sign_in::{Account, Factor, Fresh, Password, SignedIn};
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
#[derive(rocket::serde::Deserialize)]
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

#[get("/")]
fn club(member: SignedIn<Member>) -> String {
    format!("Welcome to the club, {}.", member.nickname)
}

/// Only members who entered their password within the last 10 minutes see it.
#[get("/safe")]
fn safe(member: SignedIn<Member>, _fresh: Fresh<10, Password>) -> String {
    format!("The safe of {} is open.", member.nickname)
}

#[derive(FromForm)]
struct Credentials {
    nickname: String,
    password: String,
}

/// Returns the number of the member with this password, unless the membership is closed.
async fn number_of(given: Credentials, database: &Database) -> Result<Option<i32>, Error> {
    let Credentials { nickname, password } = given;
    let find = move |connection: &mut SqliteConnection| {
        let is_open = members::is_closed.eq(false);
        let member = members::table.filter(members::nickname.eq(&nickname).and(is_open));
        let columns = member.select((members::number, members::secret));
        columns.first::<(i32, String)>(connection).optional()
    };
    let member = database.run(find).await?;
    // A hash takes long on purpose: on a thread for such work, it delays no other request.
    let check = move || member.filter(|(_, secret)| fits(&password, secret));
    let member = spawn_blocking(check).await.ok().flatten();
    Ok(member.map(|(number, _)| number))
}

fn fits(password: &str, secret: &str) -> bool {
    let hash = PasswordHash::new(secret);
    let verify = |hash| Pbkdf2::default().verify_password(password.as_bytes(), &hash);
    hash.is_ok_and(|hash| verify(hash).is_ok())
}

/// The page of a sign-in, and of the confirmation for the safe: both ask for the password.
#[get("/sign_in")]
fn sign_in_page() -> RawHtml<&'static str> {
    RawHtml(include_str!("sign_in.html"))
}

/// A redirect, or the status of a refusal.
type Answer = Result<Result<Redirect, Status>, Error>;

#[post("/sign_in", data = "<form>")]
async fn sign_in(form: Form<Credentials>, session: &Session, database: &Database) -> Answer {
    let Some(number) = number_of(form.into_inner(), database).await? else {
        return Ok(Err(Status::Unauthorized));
    };
    session.log_in(number)?;
    session.add_proof(Factor::Password)?;
    Ok(Ok(Redirect::to(session.return_to("/"))))
}

#[post("/sign_out")]
fn sign_out(session: &Session) -> Redirect {
    session.log_out();
    Redirect::to("/")
}

fn application(figment: Figment) -> Rocket<Build> {
    let sessions = Sessions::fairing()
        .with_user("members", "number", &["nickname", "is_closed"])
        .with_sign_in_page("/sign_in")
        .with_confirmation_page("/sign_in");
    rocket::custom(figment)
        .mount("/", routes![club, safe, sign_in_page, sign_in, sign_out])
        .attach(sessions)
}

#[rocket::launch]
fn rocket() -> _ {
    application(Config::figment())
}

#[cfg(test)]
mod tests;
