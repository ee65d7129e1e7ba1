//! Recognises, by a cookie, browsers in which the owner of an account has signed in before.
//!
//! Wrong passwords from elsewhere never lock the owner out of such a browser.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use rocket::Request;
use rocket::http::{Cookie, CookieJar, SameSite};
use rocket::time::Duration;
use rocket_diesel_session::request::cookie;
use rocket_diesel_session::{Database, Error, Token};

use crate::db::known_devices;
use crate::settings::Settings;

/// A browser with a well-formed device cookie.
pub(crate) struct KnownDevice {
    token: String,
    pub(crate) id: String,
}

impl KnownDevice {
    /// Returns the browser if a sign-in to this account has set its cookie.
    pub(crate) async fn find(
        database: &Database,
        cookie: Option<&str>,
        email: &str,
        now: i64,
    ) -> Result<Option<Self>, Error> {
        let Some(device) = cookie.and_then(Self::parse) else {
            return Ok(None);
        };
        let (id, email) = (device.id.clone(), email.to_owned());
        let known = known_devices::is_known(database, id, email, now).await?;
        Ok(known.then_some(device))
    }

    fn parse(token: &str) -> Option<Self> {
        let id = Token::parse(token)?.key().as_str().to_owned();
        let token = token.to_owned();
        Some(Self { token, id })
    }

    fn new() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .ok()
            .and_then(|()| Self::parse(&BASE64_URL_SAFE_NO_PAD.encode(bytes)))
            .ok_or_else(|| Error::unavailable("the operating system gave no random bytes"))
    }
}

/// Marks the browser as one of the user's, for another [`known_devices::DAYS`].
///
/// A cookie that is not known for this account is replaced, never adopted.
pub(crate) async fn remember(
    database: &Database,
    cookies: &CookieJar<'_>,
    settings: &Settings,
    known: Option<KnownDevice>,
    user_id: &str,
    now: i64,
) -> Result<(), Error> {
    let device = match known {
        Some(device) => {
            known_devices::touch(database, device.id.clone(), now).await?;
            device
        }
        None => {
            let device = KnownDevice::new()?;
            let (id, user_id) = (device.id.clone(), user_id.to_owned());
            known_devices::insert(database, id, user_id, now).await?;
            device
        }
    };
    let cookie = Cookie::build((cookie_name(settings), device.token))
        .http_only(true)
        .secure(settings.secure)
        .same_site(SameSite::Lax)
        .max_age(Duration::days(known_devices::DAYS));
    cookies.add(cookie);
    Ok(())
}

/// Forgets a user's browsers except the one with this cookie.
pub(crate) async fn forget_others(
    database: &Database,
    user_id: &str,
    cookie: Option<&str>,
) -> Result<(), Error> {
    let kept = cookie.and_then(KnownDevice::parse).map(|device| device.id);
    known_devices::delete_of_user(database, user_id, kept.as_deref()).await
}

/// Returns the value of the browser's device cookie.
pub(crate) fn sent<'r>(request: &'r Request<'_>, settings: &Settings) -> Option<&'r str> {
    cookie(request, cookie_name(settings))
}

fn cookie_name(settings: &Settings) -> &'static str {
    match settings.secure {
        true => "__Host-device",
        false => "device",
    }
}
