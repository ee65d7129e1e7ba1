//! The values that an application keeps in a session.

use serde::{Serialize, de::DeserializeOwned};

use super::Session;
use crate::error::Error;
use crate::state::Change;

impl Session {
    /// Returns the value under `key`, or `None` if there is none.
    ///
    /// Fails if it is of another type than `T`.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::get("/colour")]
    /// fn colour(session: &Session) -> Result<String, Error> {
    ///     let colour: Option<String> = session.get("colour")?;
    ///     Ok(colour.unwrap_or("none".into()))
    /// }
    /// ```
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        self.state().get(key)
    }

    /// Stores a value under `key`, in place of one that is there.
    ///
    /// Concurrent requests that store under different keys both keep their values; under the same key
    /// the last save wins. To compute a value from the current one, use [`update`](Self::update).
    ///
    /// Fails if the value cannot be serialised as JSON, or the session would exceed `max_data`; the
    /// session stays as it was. Fails with [`ErrorKind::Gone`](crate::ErrorKind::Gone) once a save has
    /// found that another request ended the session.
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// #[rocket::post("/colour/<colour>")]
    /// fn set_colour(session: &Session, colour: &str) -> Result<(), Error> {
    ///     session.insert("colour", colour)
    /// }
    /// ```
    pub fn insert<T: Serialize>(&self, key: &str, value: T) -> Result<(), Error> {
        self.state().apply(Change::set(key, value)?, self.limits())
    }

    /// Computes a new value from the one under `key`, or from the type's default, and returns it.
    ///
    /// If another request saves first, `compute` runs again with the newer value, so no update is lost.
    /// The value that is stored can therefore differ from the one that this returns.
    ///
    /// Fails as [`get`](Self::get) and [`insert`](Self::insert) do.
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// #[rocket::post("/visits")]
    /// fn visits(session: &Session) -> Result<String, Error> {
    ///     let visits = session.update("visits", |visits: u64| visits + 1)?;
    ///     Ok(format!("visit {visits}"))
    /// }
    /// ```
    pub fn update<T, F>(&self, key: &str, compute: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(T) -> T + Send + Sync + 'static,
    {
        let mut state = self.state();
        state.apply(Change::update(key, compute)?, self.limits())?;
        Ok(state.get(key)?.unwrap_or_default())
    }

    /// Removes the value under `key`, if there is one.
    pub fn remove(&self, key: &str) -> Result<(), Error> {
        self.state().apply(Change::remove(key)?, self.limits())
    }

    /// Removes all values. A signed-in user stays signed in.
    ///
    /// Before [`log_in`](Self::log_in), it drops what an anonymous user stored:
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// fn sign_in_afresh(session: &Session, user_id: u64) -> Result<(), Error> {
    ///     session.clear()?;
    ///     session.log_in(user_id)
    /// }
    /// ```
    pub fn clear(&self) -> Result<(), Error> {
        self.state().apply(Change::clear(), self.limits())
    }
}
