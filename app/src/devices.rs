//! The page of one's devices: where one is signed in, and signing out there.

use chrono::{DateTime, Utc};
use rocket::fairing::AdHoc;
use rocket::response::Redirect;
use rocket::serde::Serialize;
use rocket::serde::json::json;
use rocket::{get, post, routes};
use rocket_diesel_session::{Device, Error, Session};
use rocket_dyn_templates::{Template, context};

use crate::agent;
use crate::caller::Caller;
use crate::fresh::Fresh;
use crate::moment::Moment;
use crate::page::{Answer, Page};
use crate::user::User;

pub(crate) fn stage() -> AdHoc {
    let routes = routes![devices, end, end_page, end_others, end_others_page];
    AdHoc::on_ignite("Devices", |rocket| async {
        rocket.mount("/account/devices", routes)
    })
}

/// A device as the page shows it.
#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct Shown {
    key: String,
    name: String,
    signed_in: Moment,
    seen: Moment,
    current: bool,
}

impl Shown {
    fn new(device: &Device, now: DateTime<Utc>) -> Self {
        Self {
            key: device.key.short().to_owned(),
            name: agent::in_words(device.user_agent.as_deref()),
            signed_in: Moment::new(device.signed_in_at, now),
            seen: Moment::new(device.seen_at, now),
            current: device.current,
        }
    }
}

#[get("/")]
async fn devices(_user: &User, page: Page<'_>, session: &Session) -> Result<Template, Error> {
    let (devices, now) = (session.devices().await?, session.now());
    // The present one first, then as they were used last.
    let (mut shown, others): (Vec<_>, Vec<_>) = devices
        .iter()
        .map(|device| Shown::new(device, now))
        .partition(|device| device.current);
    shown.extend(others);
    page.show("devices", context! { devices: shown })
}

/// The addresses of refused forms, which people open again.
#[get("/<_key>/end")]
fn end_page(_key: &str) -> Redirect {
    end_others_page()
}

#[get("/end_others")]
fn end_others_page() -> Redirect {
    Redirect::to("/account/devices")
}

/// Not found: somebody else's, an unknown one, and one that is signed out already.
#[post("/<key>/end")]
async fn end(
    key: &str,
    _fresh: Fresh,
    page: Page<'_>,
    session: &Session,
) -> Result<Option<Answer>, Error> {
    match session.end_device(key).await? {
        true => back(&page, "That device is signed out.").map(Some),
        false => {
            // Another user's, perhaps: nobody is offered a device that is not there.
            session.event("malicious_direct_reference", json!({}));
            Ok(None)
        }
    }
}

#[post("/end_others")]
async fn end_others(_fresh: Fresh, page: Page<'_>, caller: Caller<'_>) -> Result<Answer, Error> {
    caller.forget_other_devices().await?;
    caller.session.end_others();
    back(&page, "All other devices are signed out.")
}

fn back(page: &Page<'_>, done: &str) -> Result<Answer, Error> {
    page.done("/account/devices".to_owned(), done)
}
