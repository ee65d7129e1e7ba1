//! The path of the user's id in a session of Express: passport's, or `session.user_path`.

use std::fmt;

use serde_json::{Map, Value};

use super::reserved::is_reserved;
use super::text::LARGEST_NUMBER;
use crate::error::{Error, require};

/// The names that lead to the user's id, from the session on.
#[derive(Clone, Debug)]
pub(crate) struct UserPath(Vec<String>);

impl Default for UserPath {
    /// Returns passport's path.
    fn default() -> Self {
        Self(vec!["passport".to_owned(), "user".to_owned()])
    }
}

impl fmt::Display for UserPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("."))
    }
}

impl UserPath {
    /// Reads names with dots between them, which SQL accepts in a JSON path.
    pub(crate) fn parse(path: &str) -> Result<Self, Error> {
        let is_name = |name: &str| {
            let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
            name.len() <= 64
                && name.chars().all(is_word)
                && !name.starts_with(|it: char| it.is_ascii_digit())
                && !name.is_empty()
        };
        let first = path.split('.').next().unwrap_or_default();
        require(
            path.split('.').all(is_name) && path.len() <= 256 && !is_reserved(first),
            || {
                format!(
                    "session.user_path is {path:?}; write where Express keeps the user's id in a session, such as \
                 \"userId\" for req.session.userId or \"user.id\" for req.session.user.id: names of a-z, A-Z, 0-9 \
                 and _, with dots between them"
                )
            },
        )?;
        Ok(Self(path.split('.').map(str::to_owned).collect()))
    }

    /// Returns the user's id in a session's text.
    #[cfg(any(test, feature = "redis"))]
    pub(crate) fn user_of(&self, text: &str) -> Option<String> {
        self.user(&super::text::parse(text).ok()?)
    }

    /// Returns the user's id: a text, a whole number, or an object's `id` that is one of them.
    pub(super) fn user(&self, values: &Map<String, Value>) -> Option<String> {
        let (first, rest) = self.0.split_first()?;
        let user = rest
            .iter()
            .try_fold(values.get(first)?, |value, name| value.get(name))?;
        let id = match user.get("id").unwrap_or(user) {
            Value::String(text) => text.clone(),
            Value::Number(number) if !number.is_f64() => number.to_string(),
            _ => return None,
        };
        let usable = (1..=64).contains(&id.len()) && !id.contains(char::is_control);
        usable.then_some(id)
    }

    /// Sets the user's id, unless it is there already.
    pub(super) fn set_user(&self, values: &mut Map<String, Value>, user_id: Option<&str>) {
        if self.user(values).as_deref() == user_id {
            return;
        }
        let Some((first, rest)) = self.0.split_first() else {
            return;
        };
        // Values of the previous user beside the id are removed; passport's other values belong to no user.
        let before = values.remove(first).filter(|_| first == "passport");
        let named =
            |value, name: &String| Value::Object([(name.clone(), value)].into_iter().collect());
        let user = user_id.map(|user_id| rest.iter().rev().fold(id(user_id), named));
        let (Some(Value::Object(mut passport)), [leaf]) = (before, rest) else {
            values.extend(user.map(|user| (first.clone(), user)));
            return;
        };
        passport.remove(leaf);
        passport.extend(user_id.map(|user_id| (leaf.clone(), id(user_id))));
        values.insert(first.clone(), Value::Object(passport));
    }
}

/// Writes an id of digits as a number, since applications compare it with one.
fn id(user_id: &str) -> Value {
    match user_id.parse::<u64>() {
        Ok(number) if number <= LARGEST_NUMBER && number.to_string() == user_id => number.into(),
        _ => user_id.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_that_cannot_be_meant_is_refused() {
        for path in [
            "",
            ".",
            "user.",
            "user..id",
            "user[0]",
            "$.userId",
            "7",
            "user id",
            "user'id",
            "benutzer\u{fc}",
            "cookie",
            "cookie.user",
            "id",
            "@session",
        ] {
            let refusal = UserPath::parse(path).unwrap_err().to_string();
            let start = format!("session.user_path is {path:?}; write where");
            assert!(refusal.starts_with(&start), "{refusal}");
        }
    }

    #[test]
    fn another_user_takes_the_place_of_all_that_was_said_of_the_first() {
        let path = UserPath::parse("user.id").unwrap();
        let before = json!({ "user": { "id": 8, "name": "grace" }, "visits": 1 });
        let mut values = before.as_object().unwrap().clone();
        path.set_user(&mut values, Some("8"));
        assert_eq!(Value::Object(values.clone()), before);
        path.set_user(&mut values, Some("7"));
        assert_eq!(
            json!({ "user": { "id": 7 }, "visits": 1 }),
            Value::Object(values.clone())
        );
        path.set_user(&mut values, None);
        assert_eq!(json!({ "visits": 1 }), Value::Object(values));
    }
}
