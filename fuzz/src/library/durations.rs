//! Durations as a configuration can have them.

use std::time::Duration;

use rocket::figment::Figment;

use crate::config::Config;
use crate::error::Error;
use crate::state::{Limits, Schema};

const SETTINGS: [&str; 5] = [
    "idle_timeout",
    "absolute_timeout",
    "remember_timeout",
    "touch_interval",
    "cleanup_interval",
];

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Settings, one `name=value` per line; a line without a name is an idle timeout.
pub fn duration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let settings: Vec<_> = text.split('\n').map(named).collect();
    match read(settings.into_iter()) {
        Ok(config) => is_within_bounds(&config),
        Err(error) => is_one_line(&error),
    }
}

fn named(line: &str) -> (&str, &str) {
    let pair = line.split_once('=');
    let known = pair.filter(|(name, _)| SETTINGS.contains(name));
    known.unwrap_or((SETTINGS[0], line))
}

fn read<'a, V: serde::Serialize>(
    settings: impl Iterator<Item = (&'a str, V)>,
) -> Result<Config, Error> {
    let figment = settings.fold(Figment::new(), |figment, (name, value)| {
        figment.merge((format!("session.{name}"), value))
    });
    Config::read(&figment)
}

/// An accepted duration does not overflow, and is read back from the words that messages have for it.
fn is_within_bounds(config: &Config) {
    let limits = config.limits(Schema::default());
    let Limits {
        idle,
        absolute,
        remember,
        touch_interval,
        ..
    } = limits;
    assert!((1_000..=absolute).contains(&idle));
    assert!(absolute <= remember && remember <= 400 * DAY);
    assert!(touch_interval.is_none_or(|touch| (0..=idle).contains(&touch)));
    let cleanup = config.cleanup_interval();
    let ten_years = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    assert!(cleanup.is_none_or(|it| (Duration::from_secs(1)..=ten_years).contains(&it)));

    let times = [Some(idle), Some(absolute), Some(remember), touch_interval];
    let in_words = |time: Option<i64>| {
        let time = time.map(|time| Duration::from_millis(time.try_into().unwrap()));
        time.map_or("off".to_owned(), |time| {
            humantime::format_duration(time).to_string()
        })
    };
    let again = read(SETTINGS.into_iter().zip(times.map(in_words))).unwrap();
    let again = again.limits(Schema::default());
    let times_again = [
        Some(again.idle),
        Some(again.absolute),
        Some(again.remember),
        again.touch_interval,
    ];
    assert_eq!(times_again, times);
}

/// A refusal names the setting, in one line that a terminal can show.
fn is_one_line(error: &Error) {
    let line = error.to_string();
    assert!(line.contains("session."), "{line}");
    assert!(!line.contains(char::is_control), "{line:?}");
}
