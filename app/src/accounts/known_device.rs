//! Browsers in which the owner of an account has signed in before: what others try elsewhere
//! shuts nobody out there.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use diesel::prelude::*;
use rocket::Request;
use rocket::http::{Cookie, CookieJar, SameSite};
use rocket::time::Duration;
use rocket_diesel_session::request::cookie;
use rocket_diesel_session::{Database, Error, Token};

use crate::db::schema::{known_devices, users};
use crate::db::users::on;
use crate::settings::Settings;

/// For how many days after the last sign-in.
const DAYS: i64 = 180;
const FORGOTTEN: i64 = DAYS * 24 * 60 * 60_000;

/// How many of one user, of which the newest stay.
const PER_USER: i64 = 20;

/// A browser that is known.
pub(crate) struct KnownDevice {
    token: String,
    pub(crate) id: String,
}

impl KnownDevice {
    /// The browser, if it shows the cookie that a sign-in to this account has set.
    pub(crate) async fn find(
        database: &Database,
        shown: Option<&str>,
        email: &str,
        now: i64,
    ) -> Result<Option<Self>, Error> {
        let Some(device) = shown.and_then(Self::of) else {
            return Ok(None);
        };
        let (id, email) = (device.id.clone(), email.to_owned());
        let known = on!(database, database.run, |connection| {
            let owner = users::table.on(users::id.eq(known_devices::user_id));
            let known = known_devices::table
                .inner_join(owner)
                .filter(known_devices::id.eq(&id))
                .filter(known_devices::seen_at.gt(now - FORGOTTEN))
                .filter(users::email.eq(&email));
            known.count().get_result::<i64>(connection)
        })?;
        Ok((known > 0).then_some(device))
    }

    fn of(token: &str) -> Option<Self> {
        let id = Token::parse(token)?.key().as_str().to_owned();
        let token = token.to_owned();
        Some(Self { token, id })
    }

    fn new() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .ok()
            .and_then(|()| Self::of(&BASE64_URL_SAFE_NO_PAD.encode(bytes)))
            .ok_or_else(|| Error::unavailable("the operating system gave no random bytes"))
    }
}

/// Makes the browser known to which the owner of an account has signed in, or known for longer.
///
/// What it shows that is not known for this account is never adopted.
pub(crate) async fn remember(
    database: &Database,
    cookies: &CookieJar<'_>,
    settings: &Settings,
    known: Option<KnownDevice>,
    user_id: &str,
    now: i64,
) -> Result<(), Error> {
    let device = match known {
        Some(device) => touch(database, device, now).await?,
        None => insert(database, KnownDevice::new()?, user_id, now).await?,
    };
    let cookie = Cookie::build((cookie_name(settings), device.token))
        .http_only(true)
        .secure(settings.secure)
        .same_site(SameSite::Lax)
        .max_age(Duration::days(DAYS));
    cookies.add(cookie);
    Ok(())
}

/// Forgets a user's browsers but for the one that shows this cookie.
pub(crate) async fn forget(
    database: &Database,
    user_id: &str,
    shown: Option<&str>,
) -> Result<(), Error> {
    let this = shown.and_then(KnownDevice::of);
    let (user_id, this) = (
        user_id.to_owned(),
        this.map_or(String::new(), |this| this.id),
    );
    on!(database, database.run, |connection| {
        let others = known_devices::table
            .filter(known_devices::user_id.eq(&user_id))
            .filter(known_devices::id.ne(&this));
        diesel::delete(others).execute(connection).map(drop)
    })
}

/// Forgets the browsers of all users.
pub(crate) async fn forget_all(database: &Database) -> Result<(), Error> {
    on!(database, database.run, |connection| {
        diesel::delete(known_devices::table)
            .execute(connection)
            .map(drop)
    })
}

/// The value of the cookie that this browser shows.
pub(crate) fn shown<'r>(request: &'r Request<'_>, settings: &Settings) -> Option<&'r str> {
    cookie(request, cookie_name(settings))
}

fn cookie_name(settings: &Settings) -> &'static str {
    match settings.secure {
        true => "__Host-device",
        false => "device",
    }
}

async fn touch(database: &Database, device: KnownDevice, now: i64) -> Result<KnownDevice, Error> {
    let id = device.id.clone();
    on!(database, database.run, |connection| {
        diesel::update(known_devices::table.find(&id))
            .set(known_devices::seen_at.eq(now))
            .execute(connection)
            .map(drop)
    })?;
    Ok(device)
}

/// Deletes the user's oldest and a few of anybody's that are forgotten, too.
async fn insert(
    database: &Database,
    device: KnownDevice,
    user_id: &str,
    now: i64,
) -> Result<KnownDevice, Error> {
    let (id, user_id) = (device.id.clone(), user_id.to_owned());
    on!(database, database.run, |connection| {
        let row = (
            known_devices::id.eq(&id),
            known_devices::user_id.eq(&user_id),
            known_devices::seen_at.eq(now),
        );
        diesel::insert_into(known_devices::table)
            .values(row)
            .execute(connection)?;
        let mut old: Vec<String> = known_devices::table
            .select(known_devices::id)
            .filter(known_devices::user_id.eq(&user_id))
            .order(known_devices::seen_at.desc())
            .offset(PER_USER)
            .limit(10)
            .load(connection)?;
        let forgotten = known_devices::table
            .select(known_devices::id)
            .filter(known_devices::seen_at.le(now - FORGOTTEN))
            .order(known_devices::seen_at)
            .limit(10);
        old.extend(forgotten.load::<String>(connection)?);
        let old = known_devices::table.filter(known_devices::id.eq_any(&old));
        diesel::delete(old).execute(connection).map(drop)
    })?;
    Ok(device)
}
