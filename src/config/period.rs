//! Durations as people write them.

use std::fmt;
use std::time::Duration;

use rocket::serde::de::{self, Deserialize, Deserializer, IntoDeserializer};

/// A duration such as "90s", "15m" or "2h 30m".
#[derive(Clone, Copy, Debug)]
pub(super) struct Period(pub(super) Duration);

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(formatter)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refuse = |_| {
            de::Error::custom(format!(
                "{text:?} is no duration; write one like \"30s\", \"15m\" or \"2h\""
            ))
        };
        humantime::parse_duration(&text).map(Self).map_err(refuse)
    }
}

/// A [`Period`], or the word "off".
#[derive(Clone, Copy, Debug)]
pub(super) enum Interval {
    Off,
    Every(Period),
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "off" => Ok(Self::Off),
            _ => Period::deserialize(text.into_deserializer()).map(Self::Every),
        }
    }
}
