//! Guards routes that need a recent sign-in, to protect unattended computers.

use rocket_diesel_session::sign_in::{Fresh, Password};

/// A password that was entered within the last 10 minutes, at the sign-in or to confirm it. Routes
/// that take it ask all other users for their password.
pub(crate) type RecentSignIn = Fresh<10, Password>;

/// The answer to programs whose sign-in is too old.
pub(crate) const NOT_RECENT: &str =
    "This needs a sign-in within the last 10 minutes. Sign in again.";
