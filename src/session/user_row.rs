//! Reads the user's row into a type of the application.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::map::IntoIter;
use serde_json::{Error, Value};

/// Reads a JSON object of columns. An error names its column.
pub(super) fn read<T: DeserializeOwned>(row: &str) -> Result<T, Error> {
    T::deserialize(Column(serde_json::from_str(row)?))
}

/// The value of a column, or the whole row. SQLite, MariaDB and MySQL have the numbers 0 and 1 for booleans.
struct Column(Value);

impl<'de> Deserializer<'de> for Column {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(columns) => visitor.visit_map(UserColumns {
                rest: columns.into_iter(),
                current: None,
            }),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_u64() {
            Some(number @ (0 | 1)) => visitor.visit_bool(number == 1),
            _ => self.0.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Self(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

struct UserColumns {
    rest: IntoIter,
    current: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for UserColumns {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.current = self.rest.next();
        let name = self.current.as_ref().map(|(name, _)| name.as_str());
        let key = name.map(|name| seed.deserialize(StrDeserializer::new(name)));
        key.transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, value) = self.current.take().unwrap_or_default();
        let value = seed.deserialize(Column(value));
        value.map_err(|cause| Error::custom(format!("column {name}: {cause}")))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Id(u32);

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Role {
        Admin,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct User {
        id: Id,
        role: Role,
        is_open: bool,
        is_known: Option<bool>,
        is_unknown: Option<bool>,
        height: f64,
        tags: Vec<String>,
    }

    #[test]
    fn numbers_are_read_into_booleans_and_other_columns_as_they_are() {
        for (open, closed) in [("1", "0"), ("true", "false")] {
            let row = format!(
                r#"{{"id":7,"role":"admin","is_open":{open},"is_known":{closed},"is_unknown":null,"height":1.5,
                     "tags":["a"],"unread":1}}"#
            );
            let user: User = read(&row).unwrap();
            let expected = User {
                id: Id(7),
                role: Role::Admin,
                is_open: true,
                is_known: Some(false),
                is_unknown: None,
                height: 1.5,
                tags: vec!["a".into()],
            };
            assert_eq!(user, expected);
        }
        let row: serde_json::Value = read(r#"{"id":1}"#).unwrap();
        assert_eq!(row, serde_json::json!({ "id": 1 }));
    }

    #[test]
    fn an_error_names_its_column() {
        for (row, says) in [
            (
                r#"{"is_open":2}"#,
                "column is_open: invalid type: integer `2`, expected a boolean",
            ),
            (
                r#"{"is_known":"1"}"#,
                "column is_known: invalid type: string \"1\", expected a boolean",
            ),
            (r#"{"id":7}"#, "missing field `role`"),
        ] {
            assert_eq!(read::<User>(row).unwrap_err().to_string(), says);
        }
    }
}
