//! What an application keeps in a session.

use std::fmt::Display;

use serde::{Serialize, de::DeserializeOwned};

use super::Session;
use crate::error::Error;
use crate::session::{Change, Flash};

impl Session {
    /// The value stored under `key`.
    ///
    /// Fails when it is of another type than `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        self.state().get(key)
    }

    /// Stores a value under `key`, in place of one that is there.
    ///
    /// Of two requests that store under different keys at the same time, neither loses its value;
    /// under the same key the one that ends last wins. To compute a value from the present one, use
    /// [`update`](Self::update).
    ///
    /// Fails when the value is no JSON, or the session would become larger than `max_data`; then it
    /// stays as it was. Fails as gone after a save that found that another request had ended the
    /// session.
    pub fn insert<T: Serialize>(&self, key: &str, value: T) -> Result<(), Error> {
        self.state().apply(Change::set(key, value)?, self.limits())
    }

    /// Computes a new value from the one under `key`, or from the type's default, and returns it.
    ///
    /// Whenever another request turns out to have changed the session meanwhile, `compute` is
    /// called again with the value that is there by then: no update is lost. What is stored in the
    /// end may therefore differ from what is returned here.
    ///
    /// Fails as [`get`](Self::get) and [`insert`](Self::insert) do.
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

    /// Removes all values; whoever is signed in stays so.
    pub fn clear(&self) -> Result<(), Error> {
        self.state().apply(Change::clear(), self.limits())
    }

    /// All values together as one struct, whose fields they are.
    ///
    /// A session without values is the struct's default. Fails when a value is of another type than
    /// its field, or is missing; give the struct `#[serde(default)]` to have it filled in.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[derive(Default, rocket::serde::Serialize, rocket::serde::Deserialize)]
    /// #[serde(crate = "rocket::serde", default)]
    /// struct Shop {
    ///     cart: Vec<u32>,
    ///     currency: Option<String>,
    /// }
    ///
    /// #[rocket::post("/cart/<article>")]
    /// fn add(session: &Session, article: u32) -> Result<String, Error> {
    ///     let shop = session.modify(move |shop: &mut Shop| shop.cart.push(article))?;
    ///     Ok(format!("{} articles in your cart", shop.cart.len()))
    /// }
    ///
    /// #[rocket::get("/cart")]
    /// fn cart(session: &Session) -> Result<String, Error> {
    ///     Ok(format!("{:?}", session.data::<Shop>()?.cart))
    /// }
    /// ```
    pub fn data<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        self.state().typed()
    }

    /// Changes all values together as one struct, and returns it.
    ///
    /// As with [`update`](Self::update), the change is made again on what another request has
    /// stored meanwhile. Values that are no fields of the struct are left alone.
    ///
    /// Fails as [`data`](Self::data) and [`insert`](Self::insert) do.
    pub fn modify<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(&mut T) + Send + Sync + 'static,
    {
        let mut state = self.state();
        state.apply(Change::modify(change), self.limits())?;
        state.typed()
    }

    /// Leaves a message for the next page that asks for [`flashes`](Self::flashes).
    ///
    /// [`log_out`](Self::log_out) keeps the messages of the same request, whether they are left before
    /// it or after it: they begin a new, anonymous session.
    ///
    /// Fails as [`insert`](Self::insert) does.
    ///
    /// ```
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::post("/sign_out")]
    /// fn sign_out(session: &Session) -> Result<Redirect, Error> {
    ///     session.log_out();
    ///     session.flash("success", "You are signed out.")?;
    ///     Ok(Redirect::to("/"))
    /// }
    /// ```
    pub fn flash(&self, kind: impl Display, message: impl Display) -> Result<(), Error> {
        let (kind, message) = (kind.to_string(), message.to_string());
        self.state().leave(Flash { kind, message }, self.limits())
    }

    /// Takes the pending flash messages. Each is returned once.
    ///
    /// They stay in the session if nobody reads the answer: if it is one to `HEAD`, `OPTIONS` or a
    /// prefetch, a redirect, an answer without a body (204, 205, 304), or a failure of the server.
    pub fn flashes(&self) -> Result<Vec<Flash>, Error> {
        self.state().take_flashes(self.limits())
    }

    /// Removes the messages that were taken, since the answer is read.
    pub(crate) fn remove_taken_flashes(&self) -> Result<(), Error> {
        self.state().remove_taken(self.limits())
    }
}
