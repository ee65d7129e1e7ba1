//! The names that an application cannot give to its values.

use crate::error::{Error, ErrorKind};

/// Values under names that begin with this are the library's own.
const OWN: char = '@';
/// Whether the user asked to stay signed in for long.
pub(crate) const REMEMBERED: &str = "@remembered";
/// Which release of the application's data this is.
pub(super) const SCHEMA: &str = "@schema";
/// What the next page is to tell.
pub(super) const FLASH: &str = "@flash";
/// The settings of the cookie, where Express has to know them.
pub(crate) const COOKIE: &str = "@cookie";

/// What outlasts that an application removes all values.
pub(super) const LASTING: [&str; 3] = [REMEMBERED, SCHEMA, COOKIE];

/// The names that express-session drops, because its session objects have something of that name
/// (`lib/session/session.js`), and the one that its cookie has.
const TAKEN: [&str; 21] = [
    "cookie",
    "id",
    "req",
    "touch",
    "resetMaxAge",
    "save",
    "reload",
    "destroy",
    "regenerate",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__proto__",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];

pub(crate) fn is_own(name: &str) -> bool {
    name.starts_with(OWN)
}

/// Whether a session that Express shares could not keep a value of this name.
pub(crate) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

/// Refuses the names that are the library's own.
pub(super) fn check(name: &str) -> Result<(), Error> {
    if is_own(name) {
        return Err(refusal(
            name,
            &format!("begins with {OWN}, which is reserved"),
        ));
    }
    Ok(())
}

pub(super) fn refusal(name: &str, why: &str) -> Error {
    let message = format!("the session value {name:?} has a name that {why}; choose another one");
    Error::new(ErrorKind::Value, message)
}
