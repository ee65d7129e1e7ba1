//! Recorded changes to a session, which can be reapplied to a newer record.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::begun;
use super::contents::{Contents, encode, fields};
use super::flash::{self, Flash};
use super::proofs::{self, Evidence, Factor};
use super::reserved::{self, ABSOLUTE_TIMEOUT, IDLE_TIMEOUT};
use crate::error::Error;

type Edit = dyn Fn(&mut Contents) -> Result<(), Error> + Send + Sync;

/// A change that can be applied to any contents.
#[derive(Clone)]
pub(crate) enum Change {
    Edit(Arc<Edit>),
    /// Begins a sign-in of several steps.
    Begin(Evidence),
    LogIn {
        user_id: String,
        remembered: bool,
    },
    /// Completes a sign-in of several steps, once.
    Complete {
        begun: Evidence,
        remembered: bool,
        last: (Factor, i64),
    },
    /// Sets the absolute timeout, in milliseconds. The end of the session moves with it.
    AbsoluteTimeout(i64),
}

impl Change {
    fn edit(edit: impl Fn(&mut Contents) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        Self::Edit(Arc::new(edit))
    }

    pub(crate) fn set<T: Serialize>(key: &str, value: T) -> Result<Self, Error> {
        reserved::check(key)?;
        let (key, value) = (key.to_owned(), encode(key, value)?);
        Ok(Self::edit(move |contents| {
            contents.set(&key, value.clone());
            Ok(())
        }))
    }

    pub(crate) fn remove(key: &str) -> Result<Self, Error> {
        reserved::check(key)?;
        let key = key.to_owned();
        Ok(Self::edit(move |contents| {
            contents.remove(&key);
            Ok(())
        }))
    }

    pub(crate) fn clear() -> Self {
        Self::edit(|contents| {
            contents.clear();
            Ok(())
        })
    }

    /// Sets the idle timeout, in milliseconds.
    pub(crate) fn idle_timeout(timeout: i64) -> Self {
        Self::edit(move |contents| {
            contents.set(IDLE_TIMEOUT, timeout.into());
            Ok(())
        })
    }

    /// Computes a value from the current one each time it is applied.
    pub(crate) fn update<T, F>(key: &str, compute: F) -> Result<Self, Error>
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(T) -> T + Send + Sync + 'static,
    {
        reserved::check(key)?;
        let key = key.to_owned();
        Ok(Self::edit(move |contents| {
            let before = contents.get(&key)?.unwrap_or_default();
            contents.set(&key, encode(&key, compute(before))?);
            Ok(())
        }))
    }

    /// Changes all values together, as the fields of one struct.
    pub(crate) fn modify<T, F>(change: F) -> Self
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(&mut T) + Send + Sync + 'static,
    {
        Self::edit(move |contents| {
            let mut data: T = contents.typed()?;
            let old = fields(&data)?;
            change(&mut data);
            contents.set_typed(old, &data)
        })
    }

    pub(crate) fn add_flash(flash: Flash) -> Self {
        Self::edit(move |contents| flash::add(contents, &flash))
    }

    pub(crate) fn remove_flashes(shown: Vec<Flash>) -> Self {
        Self::edit(move |contents| flash::remove(contents, &shown))
    }

    pub(super) fn add_proof(user_id: String, factor: Factor, at: i64) -> Self {
        Self::edit(move |contents| proofs::add(contents, &user_id, &factor, at))
    }

    pub(crate) fn signs_in(&self) -> bool {
        matches!(self, Self::LogIn { .. } | Self::Complete { .. })
    }

    pub(crate) fn apply(&self, contents: &mut Contents) -> Result<(), Error> {
        match self {
            Self::Edit(edit) => edit(contents),
            Self::Begin(evidence) => begun::begin(contents, evidence),
            Self::LogIn {
                user_id,
                remembered,
            } => {
                contents.log_in(user_id, *remembered);
                Ok(())
            }
            Self::Complete {
                begun,
                remembered,
                last,
            } => begun::complete(contents, begun, *remembered, last),
            Self::AbsoluteTimeout(timeout) => {
                contents.set(ABSOLUTE_TIMEOUT, (*timeout).into());
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Edit(_) => "Edit",
            Self::Begin(_) => "Begin",
            Self::LogIn { .. } => "LogIn",
            Self::Complete { .. } => "Complete",
            Self::AbsoluteTimeout(_) => "AbsoluteTimeout",
        })
    }
}
