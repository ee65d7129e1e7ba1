//! Checks of the settings that only sessions shared with Express have.

use super::signature::Secrets;
use crate::error::{Error, require};

/// The name of express-session's cookie unless `session.cookie.name` is set.
pub(crate) const COOKIE_NAME: &str = "connect.sid";

/// What connect-redis begins its keys with, before a colon.
#[cfg(feature = "redis")]
pub(crate) const PREFIX: &str = "sess";

/// Checks the secrets of the format "express".
pub(crate) fn check_secrets(secrets: &Secrets) -> Result<(), Error> {
    require(secrets.are_usable(), || {
        format!(
            "session.secrets has {secrets:?}; with session.format = \"express\" write those that Express \
             has, each of at least one character: [\"new\", \"old\"]"
        )
    })
}

/// Refuses settings that have no effect on sessions of another format.
pub(crate) fn check_unused(secrets: &Secrets, user_path: Option<&str>) -> Result<(), Error> {
    require(user_path.is_none(), || {
        "session.user_path is set, but only sessions of Express have such a path; leave it out, or add \
         session.format = \"express\""
            .into()
    })?;
    require(secrets.is_empty(), || {
        "session.secrets is set, but only cookies of Express are signed; leave it out, or add \
         session.format = \"express\""
            .into()
    })
}

/// Refuses a database that no store of express-session keeps sessions in.
pub(crate) fn check_url(url: &str) -> Result<(), Error> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    require(["mysql", "mariadb"].contains(&scheme), || {
        format!(
            "its url has the scheme {scheme:?}, and session.format is \"express\"; an Express application shares its \
             sessions in mysql://… (express-mysql-session) or redis://… (connect-redis)"
        )
    })
}

/// Warns that a store outside `[default.databases]`, or in memory, cannot be shared.
pub(crate) fn warn_of_unshared_store() {
    log::warn!(
        "session.format is \"express\", but no Express application can share these sessions: it takes a mysql:// or \
         redis:// url"
    );
}
