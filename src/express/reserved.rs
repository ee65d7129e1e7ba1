//! The names of session values that express-session keeps for itself.

use crate::state::Sharer;

/// Express as the application that shares the sessions.
///
/// express-session drops these names because its session objects have something of that name
/// (`lib/session/session.js`); `cookie` holds its cookie's settings.
pub(crate) static EXPRESS: Sharer = Sharer {
    name: "Express",
    reserved_names: &[
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
    ],
};

/// Returns `true` if express-session could not keep a value of this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    EXPRESS.reserved_names.contains(&name)
}
