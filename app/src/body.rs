//! JSON that somebody sent, of which the log learns nothing.

use std::ops::Deref;

use rocket::data::{self, Data, FromData};
use rocket::request::Request;
use rocket::serde::DeserializeOwned;
use rocket::serde::json::Json;

/// As [`Json`], whose error holds the whole body: Rocket would log it, and the password in it.
pub(crate) struct Body<T>(T);

impl<T> Deref for Body<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for Body<T> {
    type Error = &'static str;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let read = <Json<T> as FromData<'r>>::from_data(request, data).await;
        read.map(|Json(body)| Self(body))
            .map_error(|(status, _)| (status, "the body cannot be read"))
    }
}
