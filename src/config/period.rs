//! Reads durations such as "15m".

use std::fmt;
use std::time::Duration;

use rocket::figment::value::{Num, Value};
use rocket::serde::de::{self, Deserialize, Deserializer};

/// A duration such as "90s", "15m" or "2h 30m", or a number of seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period(pub(super) Duration);

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(formatter)
    }
}

/// The longest duration: ten years, with which no calculation overflows.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The most digits that a text may have: with a few more, humantime 2.4 can panic, as it does at
/// "18446744073709551615s 1000ms".
const DIGITS: usize = 15;

const EXAMPLES: &str = "write one like \"30s\", \"15m\" or \"2h\", or a number of seconds";

impl Period {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Num(_, number) => Self::of_seconds(*number),
            Value::String(_, text) => Self::of_text(text),
            Value::Char(_, text) => Self::of_text(&text.to_string()),
            other => Err(format!("{} is no duration; {EXAMPLES}", other.to_actual())),
        }
    }

    fn of_seconds(number: Num) -> Result<Self, String> {
        let Some(seconds) = number.to_u128_lossy() else {
            let fraction = number.to_f64().filter(|it| *it >= 0.0);
            let millis = fraction.map(|seconds| (seconds * 1_000.0).round());
            let millis = millis.filter(|it| *it <= LONGEST.as_millis() as f64);
            return Err(match (number.to_i128(), number.to_f64(), millis) {
                (Some(number), ..) => format!("{number} is negative; {EXAMPLES}"),
                (_, Some(number), Some(millis)) => format!(
                    "{number} is no whole number of seconds; write \"{millis}ms\" or round it"
                ),
                (_, number, _) => {
                    let number = number.unwrap_or_default();
                    format!("{number} is no number of seconds up to ten years; {EXAMPLES}")
                }
            });
        };
        let period = u64::try_from(seconds).ok().map(Duration::from_secs);
        let meant = period.filter(|period| *period <= LONGEST).map(Self);
        meant.ok_or_else(|| {
            format!("{seconds} is more than the {} seconds of ten years; a number counts seconds, so write milliseconds \
                     as \"500ms\"", LONGEST.as_secs())
        })
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        if digits > 0 && digits == text.chars().count() {
            return Err(format!(
                "{text:?} has no unit; write {text} without quotes or \"{text}s\" if it counts seconds"
            ));
        }
        let period = match digits <= DIGITS {
            true => humantime::parse_duration(text).ok(),
            false => None,
        };
        let meant = period.filter(|period| *period <= LONGEST).map(Self);
        meant.ok_or_else(|| format!("{text:?} is no duration of at most ten years; {EXAMPLES}"))
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <Value as Deserialize>::deserialize(deserializer)?;
        Self::read(&value).map_err(de::Error::custom)
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
        let value = <Value as Deserialize>::deserialize(deserializer)?;
        if value.as_str() == Some("off") {
            return Ok(Self::Off);
        }
        let period = Period::read(&value).map(Self::Every);
        period.map_err(|why| de::Error::custom(format!("{why}, or \"off\"")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use rocket::figment::Figment;
    use rocket::figment::providers::{Format, Toml};

    use crate::config::{Config, DatabaseConfig};

    fn refusal(table: &str, setting: &str) -> String {
        let toml = format!("[databases.app]\nurl = \"memory:\"\n[{table}]\n{setting}");
        let toml = match table {
            "databases.app" => format!("[databases.app]\nurl = \"memory:\"\n{setting}"),
            _ => toml,
        };
        let figment = Figment::from(Toml::string(&toml));
        let read = Config::read(&figment).map(drop);
        let read = read.and_then(|()| DatabaseConfig::read(&figment, "app").map(drop));
        read.map_or_else(|error| error.to_string(), |()| "accepted".into())
    }

    #[test]
    fn a_number_counts_seconds_wherever_a_duration_is() {
        for (table, keys) in [
            (
                "session",
                &[
                    "idle_timeout = 7200",
                    "absolute_timeout = 86400",
                    "remember_timeout = 2592000",
                    "touch_interval = 120",
                    "touch_interval = 0",
                    "cleanup_interval = 900",
                ][..],
            ),
            (
                "databases.app",
                &["timeout = 5", "idle_timeout = 600", "max_lifetime = 1800"],
            ),
        ] {
            for setting in keys {
                assert_eq!(refusal(table, setting), "accepted", "{setting}");
            }
        }
        let read = |setting: &str| {
            let toml = format!("[databases.app]\nurl = \"memory:\"\n[session]\n{setting}");
            let config = Config::read(&Figment::from(Toml::string(&toml))).unwrap();
            format!("{config:?}")
        };
        assert_eq!(
            read("idle_timeout = 5400"),
            read("idle_timeout = \"1h 30m\"")
        );
    }

    #[test]
    fn a_duration_that_is_none_is_refused_with_its_remedy() {
        for (given, words) in [
            ("-5", &["-5 is negative", "a number of seconds"][..]),
            ("2.5", &["2.5 is no whole number", "\"2500ms\""]),
            ("-2.5", &["-2.5 is no number of seconds", "\"2h\""]),
            ("nan", &["NaN is no number of seconds", "\"2h\""]),
            ("1e300", &["is no number of seconds up to ten years"]),
            (
                "9223372036854775807",
                &[
                    "9223372036854775807 is more than the 315360000 seconds",
                    "\"500ms\"",
                ],
            ),
            (
                "\"7200\"",
                &["\"7200\" has no unit", "write 7200", "\"7200s\""],
            ),
            ("\"7\"", &["\"7\" has no unit"]),
            ("\"soon\"", &["\"soon\" is no duration", "\"2h\""]),
            ("true", &["true", "is no duration", "\"2h\""]),
            ("[1]", &["is no duration", "\"2h\""]),
        ] {
            for (table, key) in [
                ("session", "idle_timeout"),
                ("session", "remember_timeout"),
                ("session", "cleanup_interval"),
                ("databases.app", "timeout"),
            ] {
                let line = refusal(table, &format!("{key} = {given}"));
                assert!(line.contains(&format!("{table}.{key} cannot")), "{line}");
                let named = words.iter().all(|word| line.contains(word));
                assert!(named && !line.contains('\n'), "{words:?}: {line}");
                let is_off = line.contains("or \"off\"");
                assert_eq!(is_off, key == "cleanup_interval", "{line}");
            }
        }
    }

    #[test]
    fn an_interval_below_a_second_is_refused() {
        for interval in ["0", "\"500ms\"", "\"0s\""] {
            let toml = format!("[session]\ncleanup_interval = {interval}");
            let refusal = Config::read(&Figment::from(Toml::string(&toml))).map(drop);
            let refusal = refusal.map_err(|error| error.to_string()).unwrap_err();
            assert!(
                refusal.contains("session.cleanup_interval is "),
                "{refusal}"
            );
            assert!(refusal.contains("at least 1s, or \"off\""), "{refusal}");
        }
    }
}
