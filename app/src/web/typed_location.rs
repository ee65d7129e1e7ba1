//! Keeps a location that was typed while the session had ended, until it can be saved.

use std::borrow::Cow;

use rocket::serde::Serialize;
use rocket_diesel_session::{Error, Session};

use crate::accounts::{User, email, validation};

/// A heading, and the next step.
type Notice = (&'static str, Cow<'static, str>);

/// The names of the session's values.
const LOCATION: &str = "typed_location";
const OF: &str = "typed_location_of";

#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
pub(crate) struct TypedLocation {
    location: String,
    /// The e-mail address of the account that has the form; empty if unknown.
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

    /// Returns whether another user typed it.
    pub(crate) fn is_of_another(&self, user: &User) -> bool {
        !self.location_of.is_empty() && self.location_of != user.email
    }

    /// Returns the notice that the location is not saved, with its account if that is another
    /// one.
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
