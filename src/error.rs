//! The error of this crate: a kind, a message in one line, and the cause as its source.

use std::error::Error as StdError;
use std::fmt;

/// The error of sessions, stores and the launch.
///
/// Its text is one line that ends with the cause. Expected outcomes of a [`Store`](crate::store::Store), such
/// as a missing record, are no errors.
pub struct Error {
    kind: ErrorKind,
    message: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    /// The store failed, not an application whose threads are all busy.
    of_store: bool,
    effect: Effect,
}

/// What a store knows about a verb that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Another attempt would fail, too, or could do harm.
    #[default]
    Final,
    /// Nothing was done, because of another record of the same call.
    Undone,
    /// The connection was lost, and the verb may have been carried out.
    Unknown,
}

/// What an application can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store gave no usable answer in time; a later attempt may succeed: 503.
    Unavailable,
    /// The session ended while the request was running, so its changes were not kept: 401.
    Gone,
    /// No user is signed in: 401.
    Anonymous,
    /// No factor was proved recently enough: 403.
    NotFresh,
    /// No sign-in is begun, or it was completed, replaced or has expired: 401.
    NotBegun,
    /// The request has the cookie of one session and the bearer token of another: 400.
    Ambiguous,
    /// The session's data exceeds `max_data`, or a value exceeds what the database accepts; stored data is
    /// unchanged: 413.
    TooLarge,
    /// A value cannot be stored as JSON, or is stored as another type than the requested one: 500.
    Value,
    /// The application's work rolled its transaction back; nothing was saved.
    RolledBack,
    /// A setting is wrong; the launch aborts.
    Configuration,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            cause: None,
            of_store: false,
            effect: Effect::Final,
        }
    }

    /// Returns the error of a store whose backend is broken or does not answer.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// Returns the same error with its causes as text.
    pub(crate) fn copy(&self) -> Self {
        Self {
            kind: self.kind,
            message: self.to_string(),
            cause: None,
            of_store: self.of_store,
            effect: self.effect,
        }
    }

    pub(crate) fn gone() -> Self {
        Self::new(
            ErrorKind::Gone,
            "the session ended while this request was running; sign in again",
        )
    }

    /// Sets the cause, which [`source`](std::error::Error::source) returns.
    #[must_use]
    pub fn with_source(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(crate) fn with_effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    pub(crate) fn of_store(mut self) -> Self {
        self.of_store = true;
        self
    }

    /// Returns `true` if the store is broken or did not answer.
    pub(crate) fn is_outage(&self) -> bool {
        self.of_store && self.kind == ErrorKind::Unavailable
    }

    /// Returns the cause if it is an `E`, else this error again.
    pub(crate) fn into_cause<E: StdError + 'static>(mut self) -> Result<E, Self> {
        match self.cause.take().map(|cause| cause.downcast::<E>()) {
            Some(Ok(cause)) => Ok(*cause),
            Some(Err(cause)) => Err(self.with_source(cause)),
            None => Err(self),
        }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.cause {
            Some(cause) => write!(formatter, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {self}", self.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// Fails unless a setting holds; the text names the setting, its value and the accepted values.
pub(crate) fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::configuration(otherwise()))
    }
}

/// The bytes that a statement needs beside a session's data.
#[cfg(any(feature = "mysql", feature = "redis"))]
const REST: u64 = 8 * 1_024;

/// Fails if a server's `limit` is too low for sessions of `max_data` bytes.
#[cfg(any(feature = "mysql", feature = "redis"))]
pub(crate) fn require_room(max_data: u64, setting: &str, limit: Option<u64>) -> Result<(), Error> {
    use rocket::data::ByteUnit;
    let Some(limit) = limit else {
        return Ok(());
    };
    let [data, rest] = [max_data, REST].map(ByteUnit::from);
    require(max_data + REST <= limit, || {
        format!(
            "session.max_data is {data}, but the server's {setting} is {}, which has to be {rest} more; lower the \
             first or raise the second",
            ByteUnit::from(limit)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_cause() {
        let cause = std::io::Error::other("disk on fire");
        let error = Error::unavailable("the store cannot be written").with_source(cause);
        assert_eq!(
            error.to_string(),
            "the store cannot be written: disk on fire"
        );
        assert_eq!(error.source().unwrap().to_string(), "disk on fire");
    }
}
