//! The request guard for actions that need a recent proof of the user's identity.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};
use serde_json::json;

use super::proofs::Proof;
use super::response::status_of;
use super::{Session, is_unattached, signed_in};
use crate::error::{Error, ErrorKind};
use crate::state::{Factor, is_within};

/// A proof of the user's identity that is at most `MINUTES` minutes old.
///
/// A route that takes it is for users who have just signed in, or have just confirmed a factor with
/// [`Session::add_proof`](crate::Session::add_proof). So nobody else can change a password on a computer that
/// a user has left.
///
/// The second parameter says which factors count: any, by default, or those of a [`Demand`]. A sign-in
/// without `add_proof` is a proof of [`Factor::Unstated`](crate::sign_in::Factor::Unstated).
///
/// ```no_run
/// use rocket::{delete, get, routes};
/// use rocket_diesel_session::Sessions;
/// use rocket_diesel_session::sign_in::{Fresh, Passkey};
///
/// #[get("/password")]
/// fn password_page(_fresh: Fresh<10>) -> &'static str {
///     "Choose a new password."
/// }
///
/// #[delete("/account")]
/// fn close_account(_fresh: Fresh<5, Passkey>) -> &'static str {
///     "Your account is closed."
/// }
///
/// #[get("/confirm")]
/// fn confirmation_page() -> &'static str {
///     "Confirm that it is you."
/// }
///
/// #[rocket::launch]
/// fn rocket() -> _ {
///     rocket::build()
///         .mount("/", routes![password_page, close_account, confirmation_page])
///         .attach(Sessions::fairing().with_confirmation_page("/confirm"))
/// }
/// ```
///
/// The request fails with
///
/// - 401 if no user is signed in, as with [`SignedIn`](crate::sign_in::SignedIn). The guard does not look
///   at the user's row; a route that needs it takes `SignedIn`, too,
/// - 403 if there is no such proof;
///   [`with_confirmation_page`](crate::Sessions::with_confirmation_page) redirects browsers from there,
/// - 503 if the session cannot be loaded, also where a route takes `Option<Fresh<10>>`.
///
/// The launch aborts if a route takes it and [`Sessions::fairing`](crate::Sessions::fairing) is not
/// attached.
#[derive(Clone, Copy, Debug)]
pub struct Fresh<const MINUTES: u32, D = AnyFactor>(PhantomData<fn() -> D>);

/// The factors that [`Fresh`] accepts.
///
/// ```
/// use rocket_diesel_session::sign_in::{Demand, Factor, Fresh};
///
/// struct SecondFactor;
///
/// impl Demand for SecondFactor {
///     fn accepts(factor: &Factor) -> bool {
///         matches!(factor, Factor::OneTimeCode | Factor::Passkey)
///     }
/// }
///
/// #[rocket::post("/payments")]
/// fn pay(_fresh: Fresh<5, SecondFactor>) {}
/// ```
pub trait Demand: 'static {
    /// Returns `true` if a proof of this factor counts.
    fn accepts(factor: &Factor) -> bool;
}

/// Demands any factor, stated or not.
#[derive(Clone, Copy, Debug)]
pub struct AnyFactor;

/// Demands a password.
#[derive(Clone, Copy, Debug)]
pub struct Password;

/// Demands a one-time code.
#[derive(Clone, Copy, Debug)]
pub struct OneTimeCode;

/// Demands a passkey or a security key.
#[derive(Clone, Copy, Debug)]
pub struct Passkey;

/// Demands another provider.
#[derive(Clone, Copy, Debug)]
pub struct Provider;

impl Demand for AnyFactor {
    fn accepts(_factor: &Factor) -> bool {
        true
    }
}

impl Demand for Password {
    fn accepts(factor: &Factor) -> bool {
        *factor == Factor::Password
    }
}

impl Demand for OneTimeCode {
    fn accepts(factor: &Factor) -> bool {
        *factor == Factor::OneTimeCode
    }
}

impl Demand for Passkey {
    fn accepts(factor: &Factor) -> bool {
        *factor == Factor::Passkey
    }
}

impl Demand for Provider {
    fn accepts(factor: &Factor) -> bool {
        *factor == Factor::Provider
    }
}

/// Returns `true` if [`Fresh`] refused the request of a signed-in user, so that a catcher of 403 can say
/// what to do.
///
/// ```
/// use rocket::Request;
/// use rocket_diesel_session::sign_in;
///
/// #[rocket::catch(403)]
/// fn forbidden(request: &Request<'_>) -> &'static str {
///     match sign_in::needs_confirmation(request) {
///         true => "Confirm your password first.",
///         false => "You may not do this.",
///     }
/// }
/// ```
pub fn needs_confirmation(request: &Request<'_>) -> bool {
    NotFresh::of(request).load(Ordering::Relaxed)
}

/// Notes that the guard found no fresh proof.
struct NotFresh(AtomicBool);

impl NotFresh {
    fn of<'r>(request: &'r Request<'_>) -> &'r AtomicBool {
        &request.local_cache(|| Self(AtomicBool::new(false))).0
    }
}

#[rocket::async_trait]
impl<'r, const MINUTES: u32, D: Demand> FromRequest<'r> for Fresh<MINUTES, D> {
    type Error = Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        let session = request.guard::<&Session>().await;
        let session = try_outcome!(session.map_error(|(status, error)| (status, error.copy())));
        let Err(error) = check::<D>(session, MINUTES) else {
            return Outcome::Success(Self(PhantomData));
        };
        match error.kind() {
            ErrorKind::Anonymous => signed_in::note_refusal(request),
            _ if NotFresh::of(request).swap(true, Ordering::Relaxed) => {}
            _ => session.emit("authz_fail", &json!({ "why": "no fresh proof" })),
        }
        Outcome::Error((status_of(&error), error))
    }
}

fn check<D: Demand>(session: &Session, minutes: u32) -> Result<(), Error> {
    if session.user_id().is_none() {
        return Err(Error::new(ErrorKind::Anonymous, "nobody is signed in"));
    }
    let now = session.context.now();
    let counts = |proof: &Proof| {
        D::accepts(&proof.factor) && is_within(minutes, proof.at.timestamp_millis(), now)
    };
    match session.proofs().iter().any(counts) {
        true => Ok(()),
        false => {
            let message = format!(
                "no factor that this needs was proved within the last {minutes} minutes; confirm one"
            );
            Err(Error::new(ErrorKind::NotFresh, message))
        }
    }
}

impl<const MINUTES: u32, D> Sentinel for Fresh<MINUTES, D> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        is_unattached(rocket, "Fresh")
    }
}
