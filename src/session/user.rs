//! The signed-in user, and the user's other sessions.

use std::fmt::Display;

use serde::de::DeserializeOwned;

use super::{Session, user_row};
use crate::error::{Error, ErrorKind};
use crate::session::info::SessionInfo;
use crate::store::Store;

impl Session {
    /// Signs a user in: gives the session to `user_id`, with a new token and new timeouts.
    ///
    /// It checks nothing itself: call it after the password is found right.
    /// [`add_proof`](Self::add_proof) then records which factor the user has proved.
    ///
    /// Values that an anonymous user stored are kept; those of another user are removed. Call
    /// [`clear`](Self::clear) first to keep nothing.
    ///
    /// Fails if the id is empty, longer than 64 bytes or holds control characters.
    ///
    /// ```
    /// use rocket::form::{Form, FromForm};
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[derive(FromForm)]
    /// struct SignIn {
    ///     email: String,
    ///     password: String,
    /// }
    ///
    /// #[rocket::post("/sign_in", data = "<form>")]
    /// async fn sign_in(session: &Session, form: Form<SignIn>) -> Result<Redirect, Error> {
    ///     match user_with(&form.email, &form.password).await {
    ///         Some(user_id) => {
    ///             session.log_in(user_id)?;
    ///             Ok(Redirect::to(session.return_to("/")))
    ///         }
    ///         None => {
    ///             session.flash("error", "Wrong address or password.")?;
    ///             Ok(Redirect::to("/sign_in"))
    ///         }
    ///     }
    /// }
    /// # async fn user_with(_: &str, _: &str) -> Option<u64> { None }
    /// ```
    pub fn log_in(&self, user_id: impl Display) -> Result<(), Error> {
        self.state()
            .log_in(user_id.to_string(), false, self.limits())
    }

    /// Signs a user in as [`log_in`](Self::log_in) does, for `session.remember_timeout` and with a cookie
    /// that outlives the browser's session.
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// fn sign_in(session: &Session, user_id: u64, remember: bool) -> Result<(), Error> {
    ///     match remember {
    ///         true => session.log_in_and_remember(user_id),
    ///         false => session.log_in(user_id),
    ///     }
    /// }
    /// ```
    pub fn log_in_and_remember(&self, user_id: impl Display) -> Result<(), Error> {
        self.state()
            .log_in(user_id.to_string(), true, self.limits())
    }

    /// Signs the user out: ends the session as [`destroy`](Self::destroy) does.
    ///
    /// ```
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::Session;
    ///
    /// #[rocket::post("/sign_out")]
    /// fn sign_out(session: &Session) -> Redirect {
    ///     session.log_out();
    ///     Redirect::to("/")
    /// }
    /// ```
    pub fn log_out(&self) {
        self.destroy();
    }

    /// Returns the id of the signed-in user that was passed to [`log_in`](Self::log_in), or `None`.
    ///
    /// ```
    /// # use rocket_diesel_session::Session;
    /// #[rocket::get("/who")]
    /// fn who(session: &Session) -> String {
    ///     session.user_id().unwrap_or("anonymous".into())
    /// }
    /// ```
    pub fn user_id(&self) -> Option<String> {
        self.state().user_id().map(str::to_owned)
    }

    /// Returns the signed-in user's row, which was loaded together with the session.
    ///
    /// Returns `None` if no user is signed in, if the row is gone, or if
    /// [`Sessions::with_user`](crate::Sessions::with_user) was not called.
    /// Fails if the row does not fit `T`.
    ///
    /// A route for signed-in users alone takes [`SignedIn`](crate::sign_in::SignedIn).
    ///
    /// ```
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[derive(rocket::serde::Deserialize)]
    /// #[serde(crate = "rocket::serde")]
    /// struct User {
    ///     email: String,
    /// }
    ///
    /// fn greeting(session: &Session) -> Result<String, Error> {
    ///     let user = session.user::<User>()?;
    ///     Ok(user.map_or("Hello".into(), |user| format!("Hello {}", user.email)))
    /// }
    /// ```
    pub fn user<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let state = self.state();
        let user = state.user().map(user_row::read).transpose();
        user.map_err(|cause| {
            let wanted = std::any::type_name::<T>();
            Error::new(
                ErrorKind::Value,
                format!("the user's row is not of the type {wanted}"),
            )
            .with_source(cause)
        })
    }

    /// Ends the user's other sessions when this one is saved, and gives this one a new token.
    ///
    /// Call it when the password changes, together with [`save_with`](Self::save_with):
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] mod example {
    /// use diesel::{RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// async fn change_password(session: &Session, user_id: String, hash: String) -> Result<(), Error> {
    ///     session.end_others();
    ///     let change = move |connection: &mut SqliteConnection| {
    ///         sql_query("UPDATE users SET password = ? WHERE id = ?")
    ///             .bind::<Text, _>(&hash)
    ///             .bind::<Text, _>(&user_id)
    ///             .execute(connection)
    ///     };
    ///     session.save_with(change).await.map(drop)
    /// }
    /// # }
    /// ```
    pub fn end_others(&self) {
        self.state().end_others();
    }

    /// Returns the live sessions of the signed-in user, most recently used first.
    ///
    /// Fails as unavailable if the store does not answer.
    ///
    /// ```
    /// use rocket::serde::json::Json;
    /// use rocket_diesel_session::{Error, Session, SessionInfo};
    ///
    /// #[rocket::get("/devices")]
    /// async fn devices(session: &Session) -> Result<Json<Vec<SessionInfo>>, Error> {
    ///     session.devices().await.map(Json)
    /// }
    /// ```
    pub async fn devices(&self) -> Result<Vec<SessionInfo>, Error> {
        let Some(user_id) = self.user_id() else {
            return Ok(Vec::new());
        };
        let (now, current) = (self.context.now(), self.key());
        let list = move |store: &dyn Store| store.list(&user_id, now);
        let records = self.context.ask(&self.waited, list).await?;
        let device = |record| SessionInfo::of(record, &self.context, current.as_ref());
        Ok(records.into_iter().map(device).collect())
    }

    /// Ends the session of the signed-in user with this short key. Returns `true` if there was one.
    ///
    /// Never ends a session of another user. Ending the current session signs the user out.
    ///
    /// Fails as unavailable if the store does not answer.
    ///
    /// ```
    /// use rocket::http::Status;
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::delete("/devices/<key>")]
    /// async fn sign_out_device(session: &Session, key: &str) -> Result<Status, Error> {
    ///     Ok(match session.end_device(key).await? {
    ///         true => Status::NoContent,
    ///         false => Status::NotFound,
    ///     })
    /// }
    /// ```
    pub async fn end_device(&self, short_key: &str) -> Result<bool, Error> {
        let devices = self.devices().await?;
        let Some(device) = devices.into_iter().find(|it| it.key.short() == short_key) else {
            return Ok(false);
        };
        if device.current {
            self.destroy();
            return Ok(true);
        }
        let key = device.key.clone();
        let delete = move |store: &dyn Store| store.delete(&key);
        let ended = self.context.ask(&self.waited, delete).await?;
        if ended {
            self.emit_for_ended(&device.key, device.user_id.as_deref());
        }
        Ok(ended)
    }
}
