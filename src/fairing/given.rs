//! Checks of a launch with `Sessions::with_store`, whose store ignores the settings of a database.

use rocket::figment::Figment;

use super::Sessions;
use crate::config::Config;
use crate::error::{Error, require};

impl Sessions {
    /// Refuses calls and settings that the store of [`Sessions::with_store`] never sees.
    pub(super) fn check_given(&self, config: &Config, figment: &Figment) -> Result<(), Error> {
        if self.store.is_none() {
            return Ok(());
        }
        require(self.user.is_none() || config.users.is_some(), || {
            "Sessions::with_user has no effect on the store of Sessions::with_store; call DieselStore::with_user \
             on it, or name the entry of [default.databases] that has the users in session.users"
                .to_owned()
        })?;
        let is_set = |key| match figment.find_value(&format!("session.{key}")) {
            Ok(value) => value.to_bool() != Some(false),
            Err(_) => false,
        };
        let beside = config.users.is_some();
        for (key, remedy) in [
            ("database", "leave it out"),
            (
                "table",
                "call DieselStore::with_table or RedisStore::with_prefix",
            ),
            ("columns", "call DieselStore::with_table"),
            ("create_table", "call DieselStore::create_table before"),
            (
                "migrate",
                "name the entry of [default.databases] that they are for in session.users, or leave it out",
            ),
        ] {
            let is_used = key == "migrate" && beside;
            require(is_used || !is_set(key), || {
                format!(
                    "session.{key} has no effect on the store of Sessions::with_store; {remedy}"
                )
            })?;
        }
        Ok(())
    }
}

/// Returns the error of a store of `Sessions::with_store` that cannot be used.
pub(super) fn unusable(error: Error) -> Error {
    Error::configuration(format!("the store of Sessions::with_store: {error}")).with_source(
        "check that its database runs, that its table is there (run the migrations, or call \
         DieselStore::create_table before), and that the names passed to DieselStore::with_table and \
         DieselStore::with_user are those of the database",
    )
}
