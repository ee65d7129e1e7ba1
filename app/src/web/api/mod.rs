//! The API: JSON in, JSON out, and problem details (RFC 9457) for what went wrong.

mod document;
mod errors;
mod json_body;
pub(crate) mod origins;

use rocket::fairing::AdHoc;
use rocket::http::{Header, Status};
use rocket::response::Responder;
use rocket::response::status::NoContent;
use rocket::serde::json::{Json, Value, json};
use rocket::{Request, Route, delete, get, options, post, put, request, routes};
use rocket_diesel_session::{Error, Session, SessionInfo};

use self::document::Document;
use crate::accounts::auth_request::Caller;
use crate::accounts::authentication::{self, SignIn};
use crate::accounts::failure::{self, Refusal};
use crate::accounts::listed_devices::{self, Ended};
use crate::accounts::reauthentication::{self, PasswordChange};
use crate::accounts::registration::{self, Registration};
use crate::accounts::{Profile, User};
use crate::web::api::json_body::Body;
use crate::web::headers::SignedOut;
use crate::web::problem::Problem;
use crate::web::recent_sign_in::Fresh;

/// What was asked for, or what is wrong with the question.
type Answer<T> = Result<Result<T, Problem>, Error>;

pub(crate) fn stage() -> AdHoc {
    AdHoc::try_on_ignite("API", |rocket| async {
        let document = match Document::new(rocket.figment()) {
            Ok(document) => document,
            Err(line) => {
                rocket::error!("{line}");
                return Err(rocket);
            }
        };
        Ok(rocket
            .manage(document)
            .mount("/api/v1", routes())
            .register(errors::BASE, errors::catchers()))
    })
}

fn routes() -> Vec<Route> {
    routes![
        document::document,
        methods,
        csrf_token,
        sign_up,
        sign_in,
        sign_out,
        change_password,
        me,
        devices,
        end_device,
        end_others
    ]
}

/// The methods that an address takes.
#[derive(Responder)]
struct Methods {
    answer: NoContent,
    allow: Header<'static>,
}

#[rocket::async_trait]
impl<'r> request::FromRequest<'r> for Methods {
    type Error = &'static str;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        let methods = errors::methods_at(request);
        if methods.is_empty() {
            return request::Outcome::Error((Status::NotFound, "no route has this path"));
        }
        request::Outcome::Success(Self {
            answer: NoContent,
            allow: Header::new("Allow", methods.join(", ")),
        })
    }
}

/// Answers what browsers ask before a page of another origin calls the API, too.
#[options("/<_..>")]
fn methods(methods: Methods) -> Methods {
    methods
}

/// For requests that the CSRF protection refuses without a token.
#[get("/csrf_token")]
fn csrf_token(session: &Session) -> Result<Json<Value>, Error> {
    let token = session.form_token()?;
    Ok(Json(json!({ "csrf_token": token })))
}

#[post("/signup", format = "json", data = "<given>")]
async fn sign_up(given: Body<Registration>, caller: Caller<'_>) -> Answer<(Status, Json<Profile>)> {
    let registered = registration::register(&caller, &given, None).await?;
    Ok(match registered {
        Ok(profile) => Ok((Status::Created, Json(profile))),
        Err(refusal) => Err(refuse(refusal)),
    })
}

#[post("/signin", format = "json", data = "<given>")]
async fn sign_in(given: Body<SignIn>, caller: Caller<'_>) -> Answer<Json<Profile>> {
    let signed_in = authentication::sign_in(&caller, &given, None).await?;
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
    let changed = reauthentication::change(&caller, &user.into(), &given, None).await?;
    Ok(changed.map(|()| NoContent).map_err(refuse))
}

#[get("/me")]
fn me(user: &User) -> Json<Profile> {
    Json(user.into())
}

#[get("/devices")]
async fn devices(_user: &User, session: &Session) -> Result<Json<Vec<SessionInfo>>, Error> {
    listed_devices::devices(session).await.map(Json)
}

/// Not found: somebody else's, an unknown one, and one that is signed out already.
#[delete("/devices/<key>")]
async fn end_device(
    key: &str,
    _fresh: Fresh,
    session: &Session,
) -> Result<Option<NoContent>, Error> {
    Ok(match listed_devices::end(session, key).await? {
        Ended::Now => Some(NoContent),
        Ended::Already | Ended::Unknown => None,
    })
}

#[delete("/devices")]
async fn end_others(_fresh: Fresh, caller: Caller<'_>) -> Result<NoContent, Error> {
    caller.forget_other_devices().await?;
    caller.session.end_others();
    Ok(NoContent)
}

fn refuse(refusal: Refusal) -> Problem {
    let wrong = |status, detail, complaints| {
        let mut problem = Problem::new(status, detail);
        problem.members["errors"] = json!(complaints);
        problem
    };
    match refusal {
        Refusal::Invalid(complaints) => {
            wrong(Status::BadRequest, "Some fields are not right.", complaints)
        }
        Refusal::Taken => wrong(Status::Conflict, failure::TAKEN, failure::taken()),
        Refusal::Wrong => Problem::new(Status::Unauthorized, failure::WRONG),
        Refusal::TooOften { seconds } => {
            Problem::new(Status::TooManyRequests, &failure::too_often(seconds))
        }
    }
}
