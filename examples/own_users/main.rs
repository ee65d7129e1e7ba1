//! An application that has had users before: in a table of its own, under numbers, with a guard of
//! its own.
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
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::Redirect;
use rocket::serde::Deserialize;
use rocket::tokio::task::spawn_blocking;
use rocket::{Build, Config, Rocket, get, post, routes};
use rocket_diesel_session::{Database, Error, Session, Sessions};

use schema::members;

mod schema {
    diesel::table! {
        members (number) {
            number -> Integer,
            nickname -> Text,
            secret -> Text,
        }
    }
}

/// What a session brings along of its member's row.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Member {
    nickname: String,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Member {
    type Error = String;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, String> {
        let session = request.guard::<&Session>().await;
        let session = try_outcome!(session.map_error(|(status, why)| (status, why.to_string())));
        match session.user() {
            Ok(Some(member)) => Outcome::Success(member),
            Ok(None) => Outcome::Error((Status::Unauthorized, "nobody is signed in".into())),
            Err(why) => Outcome::Error((Status::InternalServerError, why.to_string())),
        }
    }
}

#[derive(FromForm)]
struct Credentials {
    nickname: String,
    password: String,
}

#[get("/")]
fn club(member: Member) -> String {
    format!("Welcome to the club, {}.", member.nickname)
}

#[post("/sign_in", data = "<form>")]
async fn sign_in(
    form: Form<Credentials>,
    session: &Session,
    database: &Database,
) -> Result<Result<Redirect, Status>, Error> {
    let Credentials { nickname, password } = form.into_inner();
    let find = move |connection: &mut SqliteConnection| {
        let member = members::table.filter(members::nickname.eq(&nickname));
        let columns = member.select((members::number, members::secret));
        columns.first::<(i32, String)>(connection).optional()
    };
    let Some((number, secret)) = database.run(find).await? else {
        return Ok(Err(Status::Unauthorized));
    };
    // It takes long on purpose, which must not hold up other requests.
    match spawn_blocking(move || fits(&password, &secret)).await {
        Ok(true) => session.log_in(number).map(|()| Ok(Redirect::to("/"))),
        _ => Ok(Err(Status::Unauthorized)),
    }
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
        .mount("/", routes![club, sign_in, sign_out])
        .attach(Sessions::fairing().with_user("members", "number", &["nickname"]))
}

#[rocket::launch]
fn rocket() -> _ {
    application(Config::figment())
}

#[cfg(test)]
mod tests;
