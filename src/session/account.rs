//! The trait that says whether a user's account is open.

use serde::de::DeserializeOwned;

/// The user's row as a type of the application, for [`SignedIn`](crate::sign_in::SignedIn).
///
/// ```
/// use rocket_diesel_session::sign_in::Account;
///
/// #[derive(rocket::serde::Deserialize)]
/// #[serde(crate = "rocket::serde")]
/// struct User {
///     name: String,
///     is_closed: bool,
/// }
///
/// impl Account for User {
///     fn is_open(&self) -> bool {
///         !self.is_closed
///     }
/// }
/// ```
///
/// A field of the type `bool` also takes the numbers 0 and 1, because SQLite, MariaDB and MySQL have no other
/// booleans.
pub trait Account: DeserializeOwned + Send + Sync + 'static {
    /// Returns `false` if the account is closed, so that nobody may use it; `true` by default.
    ///
    /// If it is closed, [`SignedIn`](crate::sign_in::SignedIn) refuses the request as that of an anonymous
    /// user, and ends the session. If the account is opened again, its user signs in again. For what only some
    /// users may do, write another guard.
    ///
    /// A route that takes [`&Session`](crate::Session) alone does not ask this. End all sessions of an
    /// account when you close it: [`LiveSessions::revoke_all`](crate::LiveSessions::revoke_all).
    fn is_open(&self) -> bool {
        true
    }
}
