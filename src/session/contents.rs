//! What a session holds, and the changes to it, recorded so that they can be made again on a
//! fresher record.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::record::Record;

/// What a session holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) user_id: Option<String>,
    pub(crate) data: Map<String, Value>,
}

impl Contents {
    pub(crate) fn decode(record: &Record) -> Result<Self, serde_json::Error> {
        Ok(Self {
            user_id: record.user_id.clone(),
            data: serde_json::from_str(&record.data)?,
        })
    }

    /// The data as the store keeps it, unless it is larger than allowed.
    pub(crate) fn encode(&self, max_data: usize) -> Result<String, Error> {
        let text = serde_json::to_string(&self.data).map_err(|cause| {
            Error::new(ErrorKind::Value, "the session's data is no JSON").because(cause)
        })?;
        if text.len() > max_data {
            let message = format!(
                "the session's data would take {} bytes; max_data allows {}: store less, or raise session.max_data",
                text.len(),
                max_data
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(text)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.user_id.is_none() && self.data.is_empty()
    }
}

type Update = Arc<dyn Fn(Option<&Value>) -> Result<Value, Error> + Send + Sync>;

/// A change that can be made again on other contents.
#[derive(Clone)]
pub(crate) enum Change {
    Set(String, Value),
    Remove(String),
    Clear,
    /// Computes a value from the one that is there at the time of saving.
    Update(String, Update),
    LogIn(String),
}

impl Change {
    pub(crate) fn update<T, F>(key: &str, compute: F) -> Self
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(T) -> T + Send + Sync + 'static,
    {
        let name = key.to_owned();
        let update = move |value: Option<&Value>| {
            let before = value.map(|value| decode(&name, value)).transpose()?;
            encode(&name, compute(before.unwrap_or_default()))
        };
        Self::Update(key.to_owned(), Arc::new(update))
    }

    pub(crate) fn apply(&self, contents: &mut Contents) -> Result<(), Error> {
        match self {
            Self::Set(key, value) => {
                contents.data.insert(key.clone(), value.clone());
            }
            Self::Remove(key) => {
                contents.data.remove(key);
            }
            Self::Clear => contents.data.clear(),
            Self::Update(key, update) => {
                let value = update(contents.data.get(key))?;
                contents.data.insert(key.clone(), value);
            }
            Self::LogIn(user_id) => contents.user_id = Some(user_id.clone()),
        }
        Ok(())
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Set(..) => "Set",
            Self::Remove(..) => "Remove",
            Self::Clear => "Clear",
            Self::Update(..) => "Update",
            Self::LogIn(..) => "LogIn",
        })
    }
}

/// `serde_json` reads at most 128 levels, of which the session's own object is one.
const MAX_DEPTH: u32 = 126;

pub(crate) fn encode<T: Serialize>(key: &str, value: T) -> Result<Value, Error> {
    let refuse =
        |why: String| Error::new(ErrorKind::Value, format!("the session value {key:?} {why}"));
    let value = serde_json::to_value(value)
        .map_err(|cause| refuse("cannot be stored as JSON".into()).because(cause))?;
    if fits(&value, MAX_DEPTH) {
        Ok(value)
    } else {
        Err(refuse(format!(
            "is nested deeper than {MAX_DEPTH} levels and could not be read back"
        )))
    }
}

pub(crate) fn decode<T: DeserializeOwned>(key: &str, value: &Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|cause| {
        let wanted = std::any::type_name::<T>();
        Error::new(
            ErrorKind::Value,
            format!("the session value {key:?} is not of the type {wanted}"),
        )
        .because(cause)
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
