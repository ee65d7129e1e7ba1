//! The contents of a session: its user and its values, encoded for the store and decoded from it.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::Limits;
use super::reserved::{
    self, ABSOLUTE_TIMEOUT, BEGUN, COOKIE, IDLE_TIMEOUT, LASTING, PROOFS, REMEMBERED, SCHEMA,
    is_reserved,
};
use super::schema::Schema;
use crate::error::{Error, ErrorKind};
use crate::record::Record;

/// The user and the values of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) user_id: Option<String>,
    data: Map<String, Value>,
}

impl Contents {
    /// Decodes a record, and upgrades its data to the application's schema.
    pub(crate) fn decode(record: &Record, schema: &Schema) -> Result<Self, serde_json::Error> {
        let mut data: Map<String, Value> = serde_json::from_str(&record.data)?;
        let version = data.get(SCHEMA).and_then(Value::as_u64).unwrap_or(0);
        if version < u64::from(schema.version) {
            let (reserved, mut data_of_application) =
                data.into_iter().partition(|(key, _)| is_reserved(key));
            schema.upgrade(version as u32, &mut data_of_application, &record.key);
            data = reserved;
            data.extend(data_of_application);
            data.insert(SCHEMA.into(), schema.version.into());
        }
        let user_id = record.user_id.clone();
        Ok(Self { user_id, data })
    }

    /// Encodes the values for the store. Fails if they exceed `max_data`.
    pub(crate) fn encode(&self, limits: &Limits) -> Result<String, Error> {
        if let Some(sharer) = limits.shared_with {
            self.data.keys().try_for_each(|name| sharer.check(name))?;
        }
        let version = limits.schema.version;
        let text = if version > 0 && !self.data.contains_key(SCHEMA) {
            let mut data = self.data.clone();
            data.insert(SCHEMA.into(), version.into());
            serde_json::to_string(&data)
        } else {
            serde_json::to_string(&self.data)
        };
        let text = text.map_err(|cause| {
            Error::new(
                ErrorKind::Value,
                "the session's data cannot be encoded as JSON",
            )
            .with_source(cause)
        })?;
        if text.len() > limits.max_data {
            let message = format!(
                "the session's data would take {} bytes; max_data allows {}: store less, or raise session.max_data",
                text.len(),
                limits.max_data
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(text)
    }

    /// Returns `true` if there is nothing to store. Timeouts alone are not worth a session.
    pub(crate) fn is_empty(&self) -> bool {
        let is_timeout = |key: &String| [IDLE_TIMEOUT, ABSOLUTE_TIMEOUT].contains(&key.as_str());
        self.user_id.is_none() && self.data.keys().all(is_timeout)
    }

    pub(crate) fn remembered(&self) -> bool {
        self.data.get(REMEMBERED) == Some(&Value::Bool(true))
    }

    /// Returns the idle timeout in milliseconds, if the cookie's settings in the session have one.
    pub(crate) fn max_age(&self) -> Option<i64> {
        max_age(self.data.get(COOKIE)?.as_object()?)
    }

    pub(super) fn log_in(&mut self, user_id: &str, remembered: bool) {
        self.leave_user();
        self.user_id = Some(user_id.to_owned());
        if remembered {
            self.data.insert(REMEMBERED.into(), true.into());
        }
    }

    /// Removes the user, and the reserved values of the sign-in.
    pub(super) fn leave_user(&mut self) {
        self.user_id = None;
        // A new session gets its timeouts and its cookie's settings from the configuration.
        for key in [
            REMEMBERED,
            COOKIE,
            PROOFS,
            BEGUN,
            IDLE_TIMEOUT,
            ABSOLUTE_TIMEOUT,
        ] {
            self.data.remove(key);
        }
    }

    /// Removes the values of the application and its messages.
    pub(super) fn clear(&mut self) {
        self.data.retain(|key, _| LASTING.contains(&key.as_str()));
    }

    pub(super) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let value = self.data.get(key);
        value.map(|value| decode(key, value)).transpose()
    }

    pub(super) fn set(&mut self, key: &str, value: Value) {
        self.data.insert(key.to_owned(), value);
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.data.remove(key);
    }

    /// Decodes all values of the application as one struct, or returns its default if there are none.
    pub(super) fn typed<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        let values = self.data.iter().filter(|(key, _)| !is_reserved(key));
        let values: Map<String, Value> = values
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if values.is_empty() {
            return Ok(T::default());
        }
        decode("(all of them)", &Value::Object(values))
    }

    /// Replaces the fields of `old` by those of `new`, and keeps all other values.
    pub(super) fn set_typed<T: Serialize>(
        &mut self,
        old: Map<String, Value>,
        new: &T,
    ) -> Result<(), Error> {
        for key in old.keys() {
            self.data.remove(key);
        }
        self.data.extend(fields(new)?);
        Ok(())
    }
}

/// The longest lifetime that is believed: 20 years, in milliseconds.
const LONGEST: f64 = 20.0 * 365.0 * 24.0 * 60.0 * 60.0 * 1000.0;

/// Returns the lifetime in a cookie's settings, in milliseconds, or `None` if the session lives as
/// long as the browser.
pub(crate) fn max_age(cookie: &Map<String, Value>) -> Option<i64> {
    let millis = cookie.get("originalMaxAge")?.as_f64()?;
    (1.0..=LONGEST).contains(&millis).then_some(millis as i64)
}

/// Encodes the fields of a struct as values.
pub(super) fn fields<T: Serialize>(value: &T) -> Result<Map<String, Value>, Error> {
    let name = std::any::type_name::<T>();
    match encode(name, value)? {
        Value::Object(fields) => {
            fields.keys().try_for_each(|key| reserved::check(key))?;
            Ok(fields)
        }
        _ => Err(Error::new(
            ErrorKind::Value,
            format!("{name} is not a struct with named fields, so it cannot be the session's data"),
        )),
    }
}

/// `serde_json` reads at most 128 levels, of which the session object is one.
const MAX_DEPTH: u32 = 126;

pub(super) fn encode<T: Serialize>(key: &str, value: T) -> Result<Value, Error> {
    let refuse =
        |why: String| Error::new(ErrorKind::Value, format!("the session value {key:?} {why}"));
    let value = serde_json::to_value(value)
        .map_err(|cause| refuse("cannot be stored as JSON".into()).with_source(cause))?;
    if fits(&value, MAX_DEPTH) {
        Ok(value)
    } else {
        Err(refuse(format!(
            "is nested deeper than {MAX_DEPTH} levels and could not be read back"
        )))
    }
}

fn decode<T: DeserializeOwned>(key: &str, value: &Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|cause| {
        let wanted = std::any::type_name::<T>();
        Error::new(
            ErrorKind::Value,
            format!("the session value {key:?} is not of the type {wanted}"),
        )
        .with_source(cause)
    })
}

fn fits(value: &Value, levels: u32) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(entries) => {
            levels > 0 && entries.values().all(|entry| fits(entry, levels - 1))
        }
        _ => true,
    }
}
