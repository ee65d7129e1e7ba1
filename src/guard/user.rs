//! Who is signed in, and where else.

use std::fmt::Display;

use serde::de::DeserializeOwned;

use super::Session;
use crate::device::Device;
use crate::error::{Error, ErrorKind};
use crate::store::Store;

impl Session {
    /// Signs a user in: the session belongs to `user_id` from now on, under a new token and with
    /// fresh time-outs.
    ///
    /// What a stranger had put into the session is kept; what another user had is removed. Call
    /// [`clear`](Self::clear) first to keep nothing.
    ///
    /// Fails when the id is empty, longer than 64 bytes or holds control characters.
    pub fn log_in(&self, user_id: impl Display) -> Result<(), Error> {
        self.state()
            .log_in(user_id.to_string(), false, self.limits())
    }

    /// Signs a user in for as long as `remember_timeout` says, with a cookie that outlives the
    /// browser; otherwise as [`log_in`](Self::log_in) does.
    pub fn log_in_and_remember(&self, user_id: impl Display) -> Result<(), Error> {
        self.state()
            .log_in(user_id.to_string(), true, self.limits())
    }

    /// Signs the user out, by ending the session: see [`destroy`](Self::destroy).
    pub fn log_out(&self) {
        self.destroy();
    }

    /// Who is signed in.
    pub fn user_id(&self) -> Option<String> {
        self.state().user_id().map(str::to_owned)
    }

    /// The signed-in user's row, which came with the session in one statement.
    ///
    /// `None` when nobody is signed in, when the row is gone, or when
    /// [`Sessions::with_user`](crate::Sessions::with_user) was not called.
    /// Fails when the row does not fit `T`.
    ///
    /// With it, an application's own guard takes a few lines:
    ///
    /// ```
    /// use rocket::http::Status;
    /// use rocket::outcome::{Outcome, try_outcome};
    /// use rocket::request::{self, FromRequest, Request};
    /// use rocket_diesel_session::Session;
    ///
    /// #[derive(rocket::serde::Deserialize)]
    /// #[serde(crate = "rocket::serde")]
    /// struct User {
    ///     email: String,
    /// }
    ///
    /// #[rocket::async_trait]
    /// impl<'r> FromRequest<'r> for User {
    ///     type Error = String;
    ///
    ///     async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, String> {
    ///         let session = try_outcome!(request.guard::<&Session>().await.map_error(|(status, why)| (status, why.to_string())));
    ///         match session.user() {
    ///             Ok(Some(user)) => Outcome::Success(user),
    ///             Ok(None) => Outcome::Error((Status::Unauthorized, "nobody is signed in".into())),
    ///             Err(why) => Outcome::Error((Status::InternalServerError, why.to_string())),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn user<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let state = self.state();
        let user = state.user().map(serde_json::from_str).transpose();
        user.map_err(|cause| {
            let wanted = std::any::type_name::<T>();
            Error::new(
                ErrorKind::Value,
                format!("the user's row is not of the type {wanted}"),
            )
            .because(cause)
        })
    }

    /// Ends the user's other sessions together with saving this one, which gets a new token.
    ///
    /// To be called when the password changes, best within [`save_with`](Self::save_with).
    pub fn end_others(&self) {
        self.state().end_others();
    }

    /// The live sessions of whoever is signed in, the one used last first.
    ///
    /// Fails as unavailable when the store does not answer.
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        let Some(user_id) = self.user_id() else {
            return Ok(Vec::new());
        };
        let (now, current) = (self.context.now(), self.key());
        let list = move |store: &dyn Store| store.list(&user_id, now);
        let records = self.context.ask(&self.waited, list).await?;
        let device = |record| Device::of(record, &self.context, current.as_ref());
        Ok(records.into_iter().map(device).collect())
    }

    /// Ends the session of the signed-in user whose short key this is; whether there was one.
    ///
    /// Somebody else's session is never found. Ending the present one is signing out.
    ///
    /// Fails as unavailable when the store does not answer.
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
            self.tell_of_ended(&device.key);
        }
        Ok(ended)
    }
}
