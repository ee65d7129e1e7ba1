//! The values of a session as one struct.

use serde::{Serialize, de::DeserializeOwned};

use super::Session;
use crate::error::Error;
use crate::state::Change;

impl Session {
    /// Deserialises all values into one struct, with one field for each key.
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
    /// As with [`update`](Self::update), the change is reapplied if another request saved first. Values
    /// that are not fields of the struct stay as they are.
    ///
    /// Fails as [`data`](Self::data) and [`insert`](Self::insert) do.
    ///
    /// ```
    /// use rocket::serde::{Deserialize, Serialize};
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// #[serde(crate = "rocket::serde", default)]
    /// struct Preferences {
    ///     dark: bool,
    /// }
    ///
    /// #[rocket::post("/dark/<dark>")]
    /// fn set_dark(session: &Session, dark: bool) -> Result<(), Error> {
    ///     session.modify(move |it: &mut Preferences| it.dark = dark).map(drop)
    /// }
    /// ```
    pub fn modify<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(&mut T) + Send + Sync + 'static,
    {
        let mut state = self.state();
        state.apply(Change::modify(change), self.limits())?;
        state.typed()
    }
}
