//! Lists the reasons for which an account refuses a request, with their texts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rocket::http::Status;
use rocket_diesel_session::Error;

use crate::accounts::validation;

/// The errors of a form: each wrong field with its text.
pub(crate) type FieldErrors = BTreeMap<&'static str, Cow<'static, str>>;

/// The reason for a refused registration, sign-in or change of the password.
pub(crate) enum Failure {
    Invalid(FieldErrors),
    /// The e-mail address has an account already.
    Taken,
    /// The password is wrong, the account is closed, or there is none. All three have the same
    /// answer.
    Wrong,
    /// There were too many attempts.
    TooOften {
        /// The wait until the next attempt is accepted.
        seconds: i64,
    },
}

/// The answer to a refused sign-in, whether the account exists or not.
pub(crate) const WRONG: &str = "The e-mail address or the password is wrong.";

/// The error of an e-mail address that another account has.
pub(crate) const TAKEN: &str =
    "An account with this e-mail address already exists. Sign in, or use another address.";

pub(crate) fn taken() -> FieldErrors {
    [("email", TAKEN.into())].into()
}

/// Returns the answer after too many attempts, whether the account exists or not.
pub(crate) fn too_often(seconds: i64) -> String {
    let wait = match seconds {
        ..=1 => "1 second".to_owned(),
        2..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    };
    format!("There were too many attempts. Please try again in {wait}.")
}

impl Failure {
    /// Returns status and field errors for a form. Errors without a field appear at `field`.
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

/// Returns the outcome of a sign-in or a registration, as a label of metrics.
pub(crate) fn outcome<T>(done: &Result<Result<T, Failure>, Error>) -> &'static str {
    match done {
        Ok(Ok(_)) => "done",
        Ok(Err(Failure::Invalid(_))) => "invalid",
        Ok(Err(Failure::Taken)) => "taken",
        Ok(Err(Failure::Wrong)) => "wrong",
        Ok(Err(Failure::TooOften { .. })) => "limited",
        Err(_) => "failed",
    }
}

/// Collects the errors of the fields that failed their check.
pub(crate) fn field_errors<const N: usize>(
    checks: [(&'static str, validation::Check); N],
) -> FieldErrors {
    let wrong = |(field, check): (_, validation::Check)| check.err().map(|why| (field, why));
    checks.into_iter().filter_map(wrong).collect()
}
