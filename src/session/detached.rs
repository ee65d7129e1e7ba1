//! Sessions outside a request: loaded by their key, or begun.

use std::sync::Arc;

use super::Session;
use super::form::FormSecrets;
use crate::engine::context::Context;
use crate::error::Error;
use crate::request::client::Client;
use crate::state::State;
use crate::token::{Key, Token};

impl Session {
    /// Returns an empty session outside a request.
    pub(crate) fn detached(context: Arc<Context>) -> Self {
        Self::new(
            context,
            State::default(),
            Client::default(),
            FormSecrets::default(),
        )
    }

    /// Loads the session under `key` outside a request.
    pub(crate) async fn load_detached(
        context: Arc<Context>,
        key: Key,
    ) -> Result<Option<Self>, Error> {
        let session = Self::detached(context);
        let fresh = session.read(key, None).await?;
        Ok(fresh.map(|fresh| {
            *session.state() = fresh;
            session
        }))
    }

    /// Saves a session that is not empty for the first time, and returns its token.
    pub(crate) async fn begin(self) -> Result<Token, Error> {
        self.save().await?;
        let state = self.state();
        let token = state.stored().and_then(|stored| stored.token.clone());
        token.ok_or_else(Error::gone)
    }
}
