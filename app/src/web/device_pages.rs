//! Lists a user's devices and signs them out.

use chrono::{DateTime, Utc};
use rocket::fairing::AdHoc;
use rocket::response::Redirect;
use rocket::serde::Serialize;
use rocket::{get, post, routes};
use rocket_diesel_session::{Error, Session, SessionInfo};
use rocket_dyn_templates::{Template, context};

use crate::accounts::auth_request::AuthRequest;
use crate::accounts::listed_devices::{self, Ended};
use crate::web::browser_name;
use crate::web::current_user::CurrentUser;
use crate::web::layout::{FormAnswer, INFO, Page};
use crate::web::recent_sign_in::RecentSignIn;
use crate::web::time_text::PastTime;

pub(crate) fn stage() -> AdHoc {
    let routes = routes![devices, end, end_page, end_others, end_others_page];
    AdHoc::on_ignite("Devices", |rocket| async { rocket.mount(LIST, routes) })
}

const LIST: &str = "/account/devices";

/// A device as a row of the page.
#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct DeviceRow {
    key: String,
    name: String,
    signed_in: PastTime,
    seen: PastTime,
    current: bool,
}

impl DeviceRow {
    fn new(device: &SessionInfo, now: DateTime<Utc>) -> Self {
        Self {
            key: device.key.short().to_owned(),
            name: browser_name::in_words(device.user_agent.as_deref()),
            signed_in: PastTime::new(device.signed_in_at, now),
            seen: PastTime::new(device.seen_at, now),
            current: device.current,
        }
    }
}

#[get("/")]
async fn devices(_user: CurrentUser, page: Page<'_>, session: &Session) -> Result<Template, Error> {
    let (devices, now) = (listed_devices::devices(session).await?, session.now());
    // This device first, then the most recently used ones.
    let (mut shown, others): (Vec<_>, Vec<_>) = devices
        .iter()
        .map(|device| DeviceRow::new(device, now))
        .partition(|device| device.current);
    shown.extend(others);
    page.show("devices", context! { devices: shown })
}

/// Redirects from the address of a refused form, which people open again.
#[get("/<_key>/end")]
fn end_page(_key: &str) -> Redirect {
    end_others_page()
}

#[get("/end_others")]
fn end_others_page() -> Redirect {
    Redirect::to(LIST)
}

/// Answers 404 for another user's device and an unknown one.
#[post("/<key>/end")]
async fn end(
    key: &str,
    _user: CurrentUser,
    _recent: RecentSignIn,
    page: Page<'_>,
    session: &Session,
) -> Result<Option<FormAnswer>, Error> {
    match listed_devices::end(session, key).await? {
        Ended::Now => back(&page, "That device is signed out.").map(Some),
        Ended::Already => page
            .redirect(INFO, LIST.to_owned(), "That device is signed out already.")
            .map(Some),
        Ended::Unknown => Ok(None),
    }
}

#[post("/end_others")]
async fn end_others(
    _user: CurrentUser,
    _recent: RecentSignIn,
    page: Page<'_>,
    auth: AuthRequest<'_>,
) -> Result<FormAnswer, Error> {
    auth.forget_other_devices().await?;
    auth.session.end_others();
    back(&page, "All other devices are signed out.")
}

fn back(page: &Page<'_>, done: &str) -> Result<FormAnswer, Error> {
    page.redirect_with_success(LIST.to_owned(), done)
}
