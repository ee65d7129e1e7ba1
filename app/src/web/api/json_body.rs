//! Reads JSON bodies without logging them.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use rocket::data::{self, Data, FromData};
use rocket::request::Request;
use rocket::serde::DeserializeOwned;
use rocket::serde::de::value::MapAccessDeserializer;
use rocket::serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use rocket::serde::json::Json;

/// Reads like [`Json`], whose error holds the body: Rocket would log it, with the password.
pub(crate) struct JsonBody<T>(T);

impl<T> Deref for JsonBody<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Accepts JSON objects only; serde would read an array of values as well.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for JsonBody<T> {
    type Error = &'static str;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let read = <Json<Object<T>> as FromData<'r>>::from_data(request, data).await;
        read.map(|Json(Object(body))| Self(body))
            .map_error(|(status, _)| (status, "the body cannot be read"))
    }
}
