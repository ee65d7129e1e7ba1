//! Upgrades session data that an earlier release of the application wrote.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::token::Key;

pub(crate) type Upgrade = dyn Fn(u32, &mut Map<String, Value>) -> Result<(), Box<dyn StdError + Send + Sync>>
    + Send
    + Sync;

/// The version of the application's session data, and the upgrade from older ones.
#[derive(Clone)]
pub(crate) struct Schema {
    pub(super) version: u32,
    upgrade: Arc<Upgrade>,
}

impl Schema {
    pub(crate) fn new(version: u32, upgrade: Arc<Upgrade>) -> Self {
        Self { version, upgrade }
    }

    /// Upgrades data, and drops it if that fails. The user stays signed in.
    pub(super) fn upgrade(&self, from: u32, data: &mut Map<String, Value>, key: &Key) {
        if let Err(cause) = (self.upgrade)(from, data) {
            let to = self.version;
            log::warn!(
                "the data of the session {key:?} is dropped, because its upgrade from version {from} to {to} failed: {cause}"
            );
            data.clear();
        }
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self::new(0, Arc::new(|_, _| Ok(())))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Schema {}", self.version)
    }
}
