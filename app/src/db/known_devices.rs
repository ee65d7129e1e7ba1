//! Stores which browsers the owner of an account has signed in with.

use diesel::prelude::*;
use rocket_diesel_session::{Database, Error};

use super::schema::{known_devices, users};

/// A browser stays known for this many days after its last sign-in.
pub(crate) const DAYS: i64 = 180;
const MILLISECONDS: i64 = DAYS * 24 * 60 * 60_000;

/// The newest browsers of a user; older ones are deleted.
const PER_USER: i64 = 20;

/// Returns whether the account with this e-mail address knows the browser.
pub(crate) async fn is_known(
    database: &Database,
    id: String,
    email: String,
    now: i64,
) -> Result<bool, Error> {
    on!(database, database.run, |connection| {
        let owner = users::table.on(users::id.eq(known_devices::user_id));
        let known = known_devices::table
            .inner_join(owner)
            .filter(known_devices::id.eq(&id))
            .filter(known_devices::seen_at.gt(now - MILLISECONDS))
            .filter(users::email.eq(&email));
        let count = known.count().get_result::<i64>(connection)?;
        Ok(count > 0)
    })
}

/// Records another sign-in with a known browser.
pub(crate) async fn touch(database: &Database, id: String, now: i64) -> Result<(), Error> {
    on!(database, database.run, |connection| {
        diesel::update(known_devices::table.find(&id))
            .set(known_devices::seen_at.eq(now))
            .execute(connection)
            .map(drop)
    })
}

/// Stores a browser. Deletes the user's oldest ones and a few that have expired, of any user.
pub(crate) async fn insert(
    database: &Database,
    id: String,
    user_id: String,
    now: i64,
) -> Result<(), Error> {
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
        let expired = known_devices::table
            .select(known_devices::id)
            .filter(known_devices::seen_at.le(now - MILLISECONDS))
            .order(known_devices::seen_at)
            .limit(10);
        old.extend(expired.load::<String>(connection)?);
        let old = known_devices::table.filter(known_devices::id.eq_any(&old));
        diesel::delete(old).execute(connection).map(drop)
    })
}

/// Deletes the browsers of a user, except the one with the id `kept`.
pub(crate) async fn delete_of_user(
    database: &Database,
    user_id: &str,
    kept: Option<&str>,
) -> Result<(), Error> {
    let (user_id, kept) = (user_id.to_owned(), kept.unwrap_or_default().to_owned());
    on!(database, database.run, |connection| {
        let others = known_devices::table
            .filter(known_devices::user_id.eq(&user_id))
            .filter(known_devices::id.ne(&kept));
        diesel::delete(others).execute(connection).map(drop)
    })
}

/// Deletes the browsers of all users.
pub(crate) async fn delete_all(database: &Database) -> Result<(), Error> {
    on!(database, database.run, |connection| {
        diesel::delete(known_devices::table)
            .execute(connection)
            .map(drop)
    })
}
