//! Guards routes that need a signed-in user.

use rocket_diesel_session::sign_in::{Account, SignedIn};

use crate::accounts::User;

/// The signed-in user, whose account is open. Routes that take it redirect anonymous users to the
/// sign-in page.
pub(crate) type CurrentUser = SignedIn<User>;

impl Account for User {
    fn is_open(&self) -> bool {
        self.disabled_at.is_none()
    }
}
