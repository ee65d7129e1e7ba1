//! The names that an application cannot give to its values.

use crate::error::{Error, ErrorKind};

/// Names that begin with this are reserved for the library.
const RESERVED: char = '@';
/// Set if the user asked to stay signed in.
pub(crate) const REMEMBERED: &str = "@remembered";
/// The version of the application's session data.
pub(super) const SCHEMA: &str = "@schema";
/// The messages for the next page.
pub(super) const FLASH: &str = "@flash";
/// The settings of the cookie, where an application that shares the session keeps them there.
pub(crate) const COOKIE: &str = "@cookie";
/// The factors that the signed-in user has proved, with their times.
pub(super) const PROOFS: &str = "@proofs";
/// A sign-in that waits for its next factor.
pub(super) const BEGUN: &str = "@begun";
/// The idle timeout of this session alone, in milliseconds.
pub(crate) const IDLE_TIMEOUT: &str = "@idle_timeout";
/// The absolute timeout of this session alone, in milliseconds.
pub(crate) const ABSOLUTE_TIMEOUT: &str = "@absolute_timeout";

/// The reserved values that stay when an application removes all values.
pub(super) const LASTING: [&str; 7] = [
    REMEMBERED,
    SCHEMA,
    COOKIE,
    PROOFS,
    BEGUN,
    IDLE_TIMEOUT,
    ABSOLUTE_TIMEOUT,
];

pub(crate) fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED)
}

/// Refuses reserved names.
pub(super) fn check(name: &str) -> Result<(), Error> {
    if is_reserved(name) {
        return Err(refusal(
            name,
            &format!("begins with {RESERVED}, which is reserved"),
        ));
    }
    Ok(())
}

pub(super) fn refusal(name: &str, why: &str) -> Error {
    let message = format!("the session value {name:?} has a name that {why}; choose another one");
    Error::new(ErrorKind::Value, message)
}
