//! Serves the API: JSON requests and responses, problem details (RFC 9457) for errors.

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
use crate::accounts::Profile;
use crate::accounts::auth_request::AuthRequest;
use crate::accounts::authentication::{self, SignIn};
use crate::accounts::failure::{self, Failure};
use crate::accounts::listed_devices::{self, Ended};
use crate::accounts::reauthentication::{self, PasswordChange};
use crate::accounts::registration::{self, Registration};
use crate::web::api::json_body::JsonBody;
use crate::web::current_user::CurrentUser;
use crate::web::headers::SignedOut;
use crate::web::problem::Problem;
use crate::web::recent_sign_in::RecentSignIn;

/// A response, or the problem with the request.
type ApiResult<T> = Result<Result<T, Problem>, Error>;

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

/// The methods of an address.
#[derive(Responder)]
struct AllowedMethods {
    answer: NoContent,
    allow: Header<'static>,
}

#[rocket::async_trait]
impl<'r> request::FromRequest<'r> for AllowedMethods {
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

/// Answers OPTIONS, which includes preflight requests.
#[options("/<_..>")]
fn methods(methods: AllowedMethods) -> AllowedMethods {
    methods
}

/// Serves a token for requests that need one.
#[get("/csrf_token")]
fn csrf_token(session: &Session) -> Result<Json<Value>, Error> {
    let token = session.csrf_token()?;
    Ok(Json(json!({ "csrf_token": token })))
}

#[post("/signup", format = "json", data = "<given>")]
async fn sign_up(
    given: JsonBody<Registration>,
    auth: AuthRequest<'_>,
) -> ApiResult<(Status, Json<Profile>)> {
    let registered = registration::register(&auth, &given, None).await?;
    Ok(match registered {
        Ok(profile) => Ok((Status::Created, Json(profile))),
        Err(refusal) => Err(refuse(refusal)),
    })
}

#[post("/signin", format = "json", data = "<given>")]
async fn sign_in(given: JsonBody<SignIn>, auth: AuthRequest<'_>) -> ApiResult<Json<Profile>> {
    let signed_in = authentication::sign_in(&auth, &given, None).await?;
    Ok(signed_in.map(Json).map_err(refuse))
}

#[post("/signout")]
fn sign_out(session: &Session) -> SignedOut<NoContent> {
    session.log_out();
    SignedOut::with(NoContent)
}

#[put("/password", format = "json", data = "<given>")]
async fn change_password(
    given: JsonBody<PasswordChange>,
    user: CurrentUser,
    _recent: RecentSignIn,
    auth: AuthRequest<'_>,
) -> ApiResult<NoContent> {
    let changed = reauthentication::change(&auth, &Profile::from(&*user), &given, None).await?;
    Ok(changed.map(|()| NoContent).map_err(refuse))
}

#[get("/me")]
fn me(user: CurrentUser) -> Json<Profile> {
    Json(Profile::from(&*user))
}

#[get("/devices")]
async fn devices(_user: CurrentUser, session: &Session) -> Result<Json<Vec<SessionInfo>>, Error> {
    listed_devices::devices(session).await.map(Json)
}

/// Answers 404 for another user's device, an unknown one, and one that is already signed out.
#[delete("/devices/<key>")]
async fn end_device(
    key: &str,
    _user: CurrentUser,
    _recent: RecentSignIn,
    session: &Session,
) -> Result<Option<NoContent>, Error> {
    Ok(match listed_devices::end(session, key).await? {
        Ended::Now => Some(NoContent),
        Ended::Already | Ended::Unknown => None,
    })
}

#[delete("/devices")]
async fn end_others(
    _user: CurrentUser,
    _recent: RecentSignIn,
    auth: AuthRequest<'_>,
) -> Result<NoContent, Error> {
    auth.forget_other_devices().await?;
    auth.session.end_others();
    Ok(NoContent)
}

fn refuse(refusal: Failure) -> Problem {
    let wrong = |status, detail, field_errors| {
        let mut problem = Problem::new(status, detail);
        problem.members["errors"] = json!(field_errors);
        problem
    };
    match refusal {
        Failure::Invalid(field_errors) => {
            wrong(Status::BadRequest, "Some fields are wrong.", field_errors)
        }
        Failure::Taken => wrong(Status::Conflict, failure::TAKEN, failure::taken()),
        Failure::Wrong => Problem::new(Status::Unauthorized, failure::WRONG),
        Failure::TooOften { seconds } => {
            Problem::new(Status::TooManyRequests, &failure::too_often(seconds))
        }
    }
}
