//! Finds at launch a field of the application's type for the user's row that no column fills.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Returns a field of `T` that is required and has no column. Returns `None` also if that cannot be known
/// without a row, such as for a type that reads no empty text.
pub(super) fn unread_field<T: DeserializeOwned>(columns: &[&str]) -> Option<&'static str> {
    let row = ProbedRow {
        rest: columns.iter(),
    };
    match T::deserialize(row) {
        Err(ProbeError::Missing(field)) => Some(field),
        Err(ProbeError::Unknown) | Ok(_) => None,
    }
}

#[derive(Debug)]
enum ProbeError {
    Missing(&'static str),
    Unknown,
}

impl fmt::Display for ProbeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for ProbeError {}

impl Error for ProbeError {
    fn custom<M: fmt::Display>(_message: M) -> Self {
        Self::Unknown
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// A row with these columns, whose values are not known yet.
struct ProbedRow<'a> {
    rest: std::slice::Iter<'a, &'a str>,
}

impl<'de> Deserializer<'de> for ProbedRow<'_> {
    type Error = ProbeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_map(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for ProbedRow<'_> {
    type Error = ProbeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ProbeError> {
        let name = self.rest.next().map(|name| name.trim_matches(['"', '`']));
        let key = name.map(|name| seed.deserialize(StrDeserializer::new(name)));
        key.transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ProbeError> {
        seed.deserialize(Anything)
    }
}

/// A value of the type that is asked for.
struct Anything;

macro_rules! visit {
    ($($ask:ident: $visit:ident($($value:expr)?),)+) => {
        $(fn $ask<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
            visitor.$visit($($value)?)
        })+
    };
}

impl<'de> Deserializer<'de> for Anything {
    type Error = ProbeError;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, ProbeError> {
        Err(ProbeError::Unknown)
    }

    visit! {
        deserialize_bool: visit_bool(false),
        deserialize_i8: visit_u64(0),
        deserialize_i16: visit_u64(0),
        deserialize_i32: visit_u64(0),
        deserialize_i64: visit_u64(0),
        deserialize_u8: visit_u64(0),
        deserialize_u16: visit_u64(0),
        deserialize_u32: visit_u64(0),
        deserialize_u64: visit_u64(0),
        deserialize_f32: visit_f64(0.0),
        deserialize_f64: visit_f64(0.0),
        deserialize_str: visit_str(""),
        deserialize_string: visit_str(""),
        deserialize_option: visit_none(),
        deserialize_unit: visit_unit(),
        deserialize_ignored_any: visit_unit(),
        deserialize_seq: visit_seq(SeqDeserializer::new(NOTHING.iter().copied())),
        deserialize_map: visit_map(MapDeserializer::new(NO_PAIRS.iter().copied())),
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit_struct tuple tuple_struct struct enum identifier
    }
}

const NOTHING: [u8; 0] = [];
const NO_PAIRS: [(u8, u8); 0] = [];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, Utc};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its Deserialize is looked at")]
    struct Person {
        id: i64,
        first_name: String,
        height: Option<f64>,
        #[serde(default)]
        tags: Vec<String>,
        settings: BTreeMap<String, bool>,
        is_open: bool,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its Deserialize is looked at")]
    struct Dated {
        since: DateTime<Utc>,
        name: String,
    }

    #[test]
    fn a_required_field_without_a_column_is_found() {
        let all = ["id", "firstName", "settings", "isOpen"];
        assert_eq!(unread_field::<Person>(&all), None);
        for (at, missing) in all.iter().enumerate() {
            let mut columns = all.to_vec();
            columns[at] = "another";
            assert_eq!(unread_field::<Person>(&columns), Some(*missing));
        }
        let quoted = [
            "`id`",
            "\"firstName\"",
            "settings",
            "isOpen",
            "tags",
            "height",
        ];
        assert_eq!(unread_field::<Person>(&quoted), None);
    }

    #[test]
    fn what_cannot_be_known_is_not_reported() {
        assert_eq!(unread_field::<Dated>(&["since"]), None);
        assert_eq!(unread_field::<Dated>(&["name"]), Some("since"));
        assert_eq!(unread_field::<serde_json::Value>(&["name"]), None);
        assert_eq!(unread_field::<BTreeMap<String, String>>(&["name"]), None);
    }
}
