//! The same for programs: JSON in, JSON out, and problem details (RFC 9457) for what went wrong.

use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::serde::json::{Json, Value, json};
use rocket::{get, post, routes};
use rocket_diesel_session::{Database, Error, Session};

use crate::app::accounts::{self, Complaints, Refusal, Registration, SignIn, WRONG};
use crate::app::problem::problem;
use crate::app::user::{Profile, User};

type Answer<T> = (Status, Result<Json<T>, Json<Value>>);

pub(crate) fn stage() -> AdHoc {
    let routes = routes![sign_up, sign_in, sign_out, me];
    AdHoc::on_ignite("API", |rocket| async { rocket.mount("/api/v1", routes) })
}

#[post("/signup", data = "<given>")]
async fn sign_up(
    given: Json<Registration>,
    session: &Session,
    database: &Database,
) -> Result<Answer<Profile>, Error> {
    Ok(match accounts::register(database, session, &given).await? {
        Ok(profile) => (Status::Created, Ok(Json(profile))),
        Err(complaints) => mend(&complaints),
    })
}

#[post("/signin", data = "<given>")]
async fn sign_in(
    given: Json<SignIn>,
    session: &Session,
    database: &Database,
) -> Result<Answer<Profile>, Error> {
    Ok(match accounts::sign_in(database, session, &given).await? {
        Ok(profile) => (Status::Ok, Ok(Json(profile))),
        Err(Refusal::Mend(complaints)) => mend(&complaints),
        Err(Refusal::Wrong) => (
            Status::Unauthorized,
            Err(problem(Status::Unauthorized, WRONG)),
        ),
    })
}

#[post("/signout")]
fn sign_out(session: &Session) -> Status {
    session.log_out();
    Status::NoContent
}

#[get("/me")]
fn me(user: &User) -> Json<Profile> {
    Json(user.into())
}

fn mend<T>(complaints: &Complaints) -> Answer<T> {
    let Json(mut problem) = problem(Status::BadRequest, "Some fields are not right.");
    problem["errors"] = json!(complaints);
    (Status::BadRequest, Err(Json(problem)))
}
