//! The same for programs: JSON in, JSON out, and problem details (RFC 9457) for what went wrong.

use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::response::status::NoContent;
use rocket::serde::json::{Json, Value, json};
use rocket::{delete, get, post, put, routes};
use rocket_diesel_session::{Database, Device, Error, Session};

use crate::app::accounts::{self, Complaints, Refusal, Registration, SignIn};
use crate::app::fresh::Fresh;
use crate::app::own_password::{self, PasswordChange};
use crate::app::problem::problem;
use crate::app::user::{Profile, User};

/// What was asked for, or what is wrong with the question.
type Answer<T> = Result<Result<T, Problem>, Error>;

type Problem = (Status, Json<Value>);

pub(crate) fn stage() -> AdHoc {
    let routes = routes![
        sign_up,
        sign_in,
        sign_out,
        change_password,
        me,
        devices,
        end_device,
        end_others
    ];
    AdHoc::on_ignite("API", |rocket| async { rocket.mount("/api/v1", routes) })
}

#[post("/signup", data = "<given>")]
async fn sign_up(
    given: Json<Registration>,
    session: &Session,
    database: &Database,
) -> Answer<(Status, Json<Profile>)> {
    let registered = accounts::register(database, session, &given).await?;
    Ok(match registered {
        Ok(profile) => Ok((Status::Created, Json(profile))),
        Err(complaints) => Err(mend(&complaints)),
    })
}

#[post("/signin", data = "<given>")]
async fn sign_in(
    given: Json<SignIn>,
    session: &Session,
    database: &Database,
) -> Answer<Json<Profile>> {
    let signed_in = accounts::sign_in(database, session, &given).await?;
    Ok(match signed_in {
        Ok(profile) => Ok(Json(profile)),
        Err(Refusal::Mend(complaints)) => Err(mend(&complaints)),
        Err(Refusal::Wrong) => {
            let status = Status::Unauthorized;
            Err((status, problem(status, accounts::WRONG)))
        }
    })
}

#[post("/signout")]
fn sign_out(session: &Session) -> NoContent {
    session.log_out();
    NoContent
}

#[put("/password", data = "<given>")]
async fn change_password(
    given: Json<PasswordChange>,
    _fresh: Fresh,
    session: &Session,
    database: &Database,
) -> Answer<NoContent> {
    let changed = own_password::change(database, session, &given).await?;
    Ok(match changed {
        Ok(()) => Ok(NoContent),
        Err(complaints) => Err(mend(&complaints)),
    })
}

#[get("/me")]
fn me(user: &User) -> Json<Profile> {
    Json(user.into())
}

#[get("/devices")]
async fn devices(_user: &User, session: &Session) -> Result<Json<Vec<Device>>, Error> {
    session.devices().await.map(Json)
}

/// Not found: somebody else's, an unknown one, and one that is signed out already.
#[delete("/devices/<key>")]
async fn end_device(
    key: &str,
    _fresh: Fresh,
    session: &Session,
) -> Result<Option<NoContent>, Error> {
    let ended = session.end_device(key).await?;
    Ok(ended.then_some(NoContent))
}

#[delete("/devices")]
fn end_others(_fresh: Fresh, session: &Session) -> NoContent {
    session.end_others();
    NoContent
}

fn mend(complaints: &Complaints) -> Problem {
    let status = Status::BadRequest;
    let Json(mut problem) = problem(status, "Some fields are not right.");
    problem["errors"] = json!(complaints);
    (status, Json(problem))
}
