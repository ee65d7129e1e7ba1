//! Registers and authenticates users, for pages and API alike.

pub(crate) mod auth_request;
pub(crate) mod authenticated;
pub(crate) mod authentication;
mod device_cookie;
pub(crate) mod email;
pub(crate) mod failure;
pub(crate) mod listed_devices;
pub(crate) mod reauthentication;
pub(crate) mod registration;
mod throttling;
pub(crate) mod validation;

use rocket_diesel_session::Sessions;

pub(crate) use crate::db::users::{Profile, User, set_location};
use crate::db::{MIGRATIONS, users};

/// Returns the fairing of the sessions, as the server and the command line use it.
pub(crate) fn sessions() -> Sessions {
    Sessions::fairing()
        .with_migrations(MIGRATIONS)
        .with_user("users", "id", users::COLUMNS)
        .with_csrf_protection()
}
