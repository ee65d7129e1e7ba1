//! Serves the description of the API, adjusted to the settings.

use rocket::figment::Figment;
use rocket::response::content::RawJson;
use rocket::serde::json::{Value, from_str};
use rocket::{State, get};

use crate::settings::Settings;

pub(super) struct Document(String);

impl Document {
    /// Fails if the text is not JSON, which a test rules out. `settings` reports wrong settings.
    pub(super) fn new(figment: &Figment) -> Result<Self, String> {
        let settings = Settings::read(figment).unwrap_or_default();
        let mut document = text()?;
        let parts = &mut document["components"];
        parts["schemas"]["NewPassword"]["minLength"] = settings.password_min.into();
        let name: Result<String, _> = figment.extract_inner("session.cookie.name");
        let name = name.unwrap_or_else(|_| "id".to_owned());
        let prefix = if settings.secure { "__Host-" } else { "" };
        parts["securitySchemes"]["session"]["name"] = format!("{prefix}{name}").into();
        Ok(Self(document.to_string()))
    }
}

fn text() -> Result<Value, String> {
    from_str(include_str!("openapi.json")).map_err(|error| error.to_string())
}

#[get("/openapi.json")]
pub(super) fn document(document: &State<Document>) -> RawJson<&str> {
    RawJson(&document.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use std::collections::BTreeSet;

    use rocket::http::Method;

    use super::*;

    #[test]
    fn the_document_has_each_route_and_no_other() {
        let routes = super::super::routes().into_iter();
        let routes = routes.filter(|route| route.method != Method::Options);
        let mounted: BTreeSet<_> = routes
            .map(|route| {
                let path = route.uri.path().replace('<', "{").replace('>', "}");
                (path, route.method.as_str().to_lowercase())
            })
            .collect();
        let document = text().unwrap();
        let paths = document["paths"].as_object().unwrap().iter();
        let described: BTreeSet<_> = paths
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(|method| (path.clone(), method.clone()))
            })
            .collect();
        assert_eq!(described, mounted);
    }
}
