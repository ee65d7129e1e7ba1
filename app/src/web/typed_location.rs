//! A location whose user had to sign in before it could be saved: kept until then.

use std::borrow::Cow;

use rocket::serde::Serialize;
use rocket_diesel_session::{Error, Session};

use crate::accounts::{User, email, validation};

/// A heading, and what to do.
type Notice = (&'static str, Cow<'static, str>);

/// The session's values.
const LOCATION: &str = "typed_location";
const OF: &str = "typed_location_of";

#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
pub(crate) struct TypedLocation {
    location: String,
    /// The e-mail address of the account whose form it was; empty where that is unknown.
    location_of: String,
}

impl TypedLocation {
    /// Returns `None` if there is nothing to keep.
    pub(crate) fn new(location: &str, location_of: &str) -> Option<Self> {
        let keep = !location.is_empty() && validation::location(location).is_ok();
        keep.then(|| Self {
            location: location.to_owned(),
            location_of: match validation::email(location_of) {
                Ok(()) => email::canonical(location_of),
                Err(_) => String::new(),
            },
        })
    }

    pub(crate) fn of(session: &Session) -> Result<Option<Self>, Error> {
        let Some(location) = session.get(LOCATION)? else {
            return Ok(None);
        };
        let location_of = session.get(OF)?.unwrap_or_default();
        Ok(Some(Self {
            location,
            location_of,
        }))
    }

    pub(crate) fn keep(&self, session: &Session) -> Result<(), Error> {
        session.insert(LOCATION, &self.location)?;
        session.insert(OF, &self.location_of)
    }

    pub(crate) fn forget(session: &Session) -> Result<(), Error> {
        session.remove(LOCATION)?;
        session.remove(OF)
    }

    /// Returns whether it was typed as a user other than this one.
    pub(crate) fn is_of_another(&self, user: &User) -> bool {
        !self.location_of.is_empty() && self.location_of != user.email
    }

    /// Says that it is not saved, and of whom it is if not of the signed-in user.
    pub(crate) fn notice(&self, user: &User) -> Notice {
        match self.is_of_another(user) {
            true => (
                "This location is not saved",
                format!(
                    "You typed it as {}, but you are signed in as {} now. Press Save only if it \
                     belongs to the account that you are signed in to.",
                    self.location_of, user.email
                )
                .into(),
            ),
            false => (
                "Press Save once more",
                "You had to sign in first, so your location is not saved yet.".into(),
            ),
        }
    }
}
