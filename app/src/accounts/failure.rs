//! Why somebody does not get what they ask of an account.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rocket::http::Status;

use crate::accounts::validation;

/// What is wrong with each field.
pub(crate) type FieldErrors = BTreeMap<&'static str, Cow<'static, str>>;

/// Why somebody did not get what they asked for.
pub(crate) enum Failure {
    Invalid(FieldErrors),
    /// The e-mail address has an account already.
    Taken,
    /// Address and password do not belong together, or the account is closed: nobody learns which.
    Wrong,
    /// There were too many attempts.
    TooOften {
        /// How long to wait for the next one.
        seconds: i64,
    },
}

/// The text of a refused sign-in, whether the account exists or not.
pub(crate) const WRONG: &str = "The e-mail address or the password is wrong.";

/// What is said beside an e-mail address that has an account already.
pub(crate) const TAKEN: &str =
    "An account with this e-mail address exists already. Sign in, or use another address.";

pub(crate) fn taken() -> FieldErrors {
    [("email", TAKEN.into())].into()
}

/// The text after too many attempts, whether the account exists or not.
pub(crate) fn too_often(seconds: i64) -> String {
    let wait = match seconds {
        ..=1 => "1 second".to_owned(),
        2..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    };
    format!("There were too many attempts. Please try again in {wait}.")
}

impl Failure {
    /// As a form tells it; beside `field` what is about none.
    pub(crate) fn on_form(self, field: &'static str) -> (Status, FieldErrors) {
        match self {
            Self::Invalid(field_errors) => (Status::UnprocessableEntity, field_errors),
            Self::Taken => (Status::UnprocessableEntity, taken()),
            Self::Wrong => (Status::Unauthorized, [(field, WRONG.into())].into()),
            Self::TooOften { seconds } => {
                let field_errors = [(field, too_often(seconds).into())];
                (Status::TooManyRequests, field_errors.into())
            }
        }
    }
}

/// What is wrong with the fields that were checked.
pub(crate) fn field_errors<const N: usize>(
    checks: [(&'static str, validation::Check); N],
) -> FieldErrors {
    let wrong = |(field, check): (_, validation::Check)| check.err().map(|why| (field, why));
    checks.into_iter().filter_map(wrong).collect()
}
