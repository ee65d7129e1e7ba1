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

/// Ten years: nobody means more, and everything can still be calculated with them.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The most digits that a text may have: with a few more, humantime 2.4 can panic, as it does at
/// "18446744073709551615s 1000ms".
const DIGITS: usize = 15;

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let period = match digits <= DIGITS {
            true => humantime::parse_duration(&text).ok(),
            false => None,
        };
        let meant = period.filter(|period| *period <= LONGEST).map(Self);
        meant.ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no duration of at most ten years; write one like \"30s\", \"15m\" or \"2h\""
            ))
        })
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
