//! The format of the sessions: native, or that of an Express application.

use std::sync::Arc;

use super::Config;
use crate::error::{Error, require};
use crate::express::{self, EXPRESS, UserPath, settings};
use crate::state::{Limits, Sharer};
use crate::store::Adapter;
use crate::store::sql::table::Table;
use crate::token::TokenCodec;

/// The format of the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase", expecting = "\"native\" or \"express\"")]
pub(super) enum SessionFormat {
    Native,
    Express,
}

impl Config {
    /// Checks the settings that belong to one format.
    pub(super) fn check_format(&self) -> Result<(), Error> {
        match self.format {
            SessionFormat::Native => {
                settings::check_unused(&self.secrets, self.user_path.as_deref())
            }
            SessionFormat::Express => {
                require(!self.token_from.bearer, || {
                    "session.token_from has \"bearer\", which the format \"express\" does not have; \
                     leave session.token_from out, or set session.format = \"native\""
                        .to_owned()
                })?;
                settings::check_secrets(&self.secrets)
            }
        }
    }

    /// Returns what reads and writes the sessions of another application's format.
    pub(crate) fn adapter(&self, limits: &Limits) -> Result<Option<Arc<dyn Adapter>>, Error> {
        if self.format == SessionFormat::Native {
            return Ok(None);
        }
        let format = Arc::new(express::Format {
            limits: limits.clone(),
            cookie: self.cookie.to_json(),
            user_path: self.user_path()?,
        });
        Ok(Some(Arc::new(format)))
    }

    /// Returns what reads and writes the cookies of another application's format.
    pub(crate) fn codec(&self) -> Option<Arc<dyn TokenCodec>> {
        (self.format == SessionFormat::Express).then(|| Arc::new(self.secrets.clone()) as _)
    }

    /// Refuses an SQL database that cannot hold sessions of this format.
    pub(crate) fn check_url(&self, url: &str) -> Result<(), Error> {
        match self.format {
            SessionFormat::Native => Ok(()),
            SessionFormat::Express => settings::check_url(url),
        }
    }

    /// Warns if another application should share the sessions of a store that it cannot share.
    pub(crate) fn warn_of_unshared_store(&self) {
        if self.format == SessionFormat::Express {
            settings::warn_of_unshared_store();
        }
    }

    /// Returns where Express keeps the user's id.
    pub(super) fn user_path(&self) -> Result<UserPath, Error> {
        let path = self.user_path.as_deref();
        path.map_or_else(|| Ok(UserPath::default()), UserPath::parse)
    }

    pub(crate) fn table(&self) -> Result<Table, Error> {
        let columns = self.columns.iter();
        let columns = columns.map(|(column, name)| (column.as_str(), name.as_str()));
        let name = self.table.as_deref().unwrap_or("sessions");
        let table = match self.format {
            SessionFormat::Native => {
                Table::new(name, columns).map(|it| it.with_foreign(express::FOREIGN_TABLES))
            }
            SessionFormat::Express => express::table(name, columns, &self.user_path()?),
        };
        table.map_err(|error| Error::configuration(format!("session.{error}")))
    }

    /// Returns the application that shares the sessions, if there is one.
    pub(super) fn sharer(&self) -> Option<&'static Sharer> {
        (self.format == SessionFormat::Express).then_some(&EXPRESS)
    }

    /// Returns `true` if the settings name a column of Express's table for the user.
    pub(crate) fn has_user_column(&self) -> bool {
        self.format == SessionFormat::Express && self.columns.contains_key("user_id")
    }

    /// Returns the prefix of all keys in Redis.
    #[cfg(feature = "redis")]
    pub(crate) fn prefix(&self) -> &str {
        let usual = match self.format {
            SessionFormat::Native => "sessions",
            SessionFormat::Express => settings::PREFIX,
        };
        self.table.as_deref().unwrap_or(usual)
    }
}
