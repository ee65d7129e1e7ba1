//! Flash messages, which stay in the session until a page shows them.

use serde::{Deserialize, Serialize};

use super::contents::{Contents, encode};
use super::reserved::FLASH;
use crate::error::Error;

/// A message for the next page: the result of an action.
///
/// It serializes, so a template can show it:
///
/// ```
/// use rocket::serde::json::Json;
/// use rocket_diesel_session::{Error, Flash, Session};
///
/// #[rocket::get("/messages")]
/// fn messages(session: &Session) -> Result<Json<Vec<Flash>>, Error> {
///     session.flashes().map(Json)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flash {
    /// The kind of message, such as "success" or "error".
    pub kind: String,
    /// The text.
    pub message: String,
}

impl Flash {
    /// Returns a message of this kind, to compare with in a test.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        let (kind, message) = (kind.into(), message.into());
        Self { kind, message }
    }
}

pub(super) fn waiting(contents: &Contents) -> Result<Vec<Flash>, Error> {
    Ok(contents.get(FLASH)?.unwrap_or_default())
}

pub(super) fn add(contents: &mut Contents, flash: &Flash) -> Result<(), Error> {
    let mut waiting = waiting(contents)?;
    waiting.push(flash.clone());
    contents.set(FLASH, encode(FLASH, waiting)?);
    Ok(())
}

/// Removes each of `taken` from `messages` once.
pub(super) fn without(mut messages: Vec<Flash>, taken: &[Flash]) -> Vec<Flash> {
    for flash in taken {
        if let Some(at) = messages.iter().position(|other| other == flash) {
            messages.remove(at);
        }
    }
    messages
}

/// Removes the messages that were shown, and keeps those that another request has added meanwhile.
pub(super) fn remove(contents: &mut Contents, shown: &[Flash]) -> Result<(), Error> {
    let waiting = without(waiting(contents)?, shown);
    if waiting.is_empty() {
        contents.remove(FLASH);
    } else {
        contents.set(FLASH, encode(FLASH, waiting)?);
    }
    Ok(())
}
