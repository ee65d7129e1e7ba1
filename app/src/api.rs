//! The same for programs: JSON in, JSON out, and problem details (RFC 9457) for what went wrong.

use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::response::status::NoContent;
use rocket::serde::json::{Json, Value, json};
use rocket::{delete, get, post, put, routes};
use rocket_diesel_session::{Device, Error, Session};

use crate::accounts::{self, Registration, SignIn};
use crate::body::Body;
use crate::caller::Caller;
use crate::fresh::Fresh;
use crate::headers::SignedOut;
use crate::own_password::{self, PasswordChange};
use crate::problem::problem;
use crate::refusal::{self, Refusal};
use crate::user::{Profile, User};

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

#[post("/signup", format = "json", data = "<given>")]
async fn sign_up(given: Body<Registration>, caller: Caller<'_>) -> Answer<(Status, Json<Profile>)> {
    let registered = accounts::register(&caller, &given, None).await?;
    Ok(match registered {
        Ok(profile) => Ok((Status::Created, Json(profile))),
        Err(refusal) => Err(refuse(refusal)),
    })
}

#[post("/signin", format = "json", data = "<given>")]
async fn sign_in(given: Body<SignIn>, caller: Caller<'_>) -> Answer<Json<Profile>> {
    let signed_in = accounts::sign_in(&caller, &given, None).await?;
    Ok(signed_in.map(Json).map_err(refuse))
}

#[post("/signout")]
fn sign_out(session: &Session) -> SignedOut<NoContent> {
    session.log_out();
    SignedOut::with(NoContent)
}

#[put("/password", format = "json", data = "<given>")]
async fn change_password(
    given: Body<PasswordChange>,
    _fresh: Fresh,
    user: &User,
    caller: Caller<'_>,
) -> Answer<NoContent> {
    let changed = own_password::change(&caller, user, &given, None).await?;
    Ok(changed.map(|()| NoContent).map_err(refuse))
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
    if !ended {
        session.event("malicious_direct_reference", json!({}));
    }
    Ok(ended.then_some(NoContent))
}

#[delete("/devices")]
async fn end_others(_fresh: Fresh, caller: Caller<'_>) -> Result<NoContent, Error> {
    caller.forget_other_devices().await?;
    caller.session.end_others();
    Ok(NoContent)
}

fn refuse(refusal: Refusal) -> Problem {
    let (status, detail, complaints) = match refusal {
        Refusal::Mend(complaints) => {
            let detail = "Some fields are not right.".to_owned();
            (Status::BadRequest, detail, Some(complaints))
        }
        Refusal::Wrong => (Status::Unauthorized, refusal::WRONG.to_owned(), None),
        Refusal::TooOften { seconds } => {
            (Status::TooManyRequests, refusal::too_often(seconds), None)
        }
    };
    let Json(mut problem) = problem(status, &detail);
    if let Some(complaints) = complaints {
        problem["errors"] = json!(complaints);
    }
    (status, Json(problem))
}
