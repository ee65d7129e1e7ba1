//! Reads `[default.health]`: when `/health/ready` answers 503.
//!
//! | key | default | accepted | meaning |
//! |---|---|---|---|
//! | `ready_within` | `5` | 2 to 60 | seconds since the store's last answer |
//! | `shutdown_wait` | `0` | 0 to 300 | seconds from the signal to stop until the server refuses connections, so that load balancers notice |

use rocket::figment::{self, Figment};
use rocket::serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(crate = "rocket::serde", deny_unknown_fields, default)]
pub(crate) struct HealthSettings {
    pub(crate) ready_within: u32,
    pub(crate) shutdown_wait: u32,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            ready_within: 5,
            shutdown_wait: 0,
        }
    }
}

impl HealthSettings {
    /// Reads and checks the settings. The error names the key, the value and the accepted values.
    pub(crate) fn read(figment: &Figment) -> Result<Self, String> {
        let settings: Self = match figment.contains("health") {
            true => figment
                .extract_inner("health")
                .map_err(|error| unreadable(&error))?,
            false => Self::default(),
        };
        for (key, seconds, range) in [
            ("ready_within", settings.ready_within, 2..=60),
            ("shutdown_wait", settings.shutdown_wait, 0..=300),
        ] {
            if !range.contains(&seconds) {
                return Err(format!(
                    "health.{key} is {seconds}; it must be a number of seconds from {} to {}",
                    range.start(),
                    range.end()
                ));
            }
        }
        Ok(settings)
    }
}

fn unreadable(error: &figment::Error) -> String {
    format!(
        "{} cannot be used: {}; Rocket.toml shows the keys of health, which are numbers of seconds",
        super::full_name("health", error),
        error.kind
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use rocket::figment::providers::{Format, Toml};

    use super::*;

    fn read(toml: &str) -> Result<HealthSettings, String> {
        HealthSettings::read(&Figment::from(Toml::string(toml).nested()))
    }

    #[test]
    fn settings_of_health_have_defaults_and_limits() {
        let settings = read("").unwrap();
        assert_eq!((settings.ready_within, settings.shutdown_wait), (5, 0));
        let settings = read("[default.health]\nshutdown_wait = 7").unwrap();
        assert_eq!((settings.ready_within, settings.shutdown_wait), (5, 7));
        for (setting, words) in [
            (
                "ready_within = 1",
                "health.ready_within is 1; it must be a number of seconds from 2 to 60",
            ),
            ("ready_within = 61", "health.ready_within is 61"),
            (
                "shutdown_wait = 301",
                "health.shutdown_wait is 301; it must be a number of seconds from 0 to 300",
            ),
            ("shutdown_wait = \"5s\"", "health.shutdown_wait"),
            ("shutdown = 5", "shutdown"),
        ] {
            let line = read(&format!("[default.health]\n{setting}")).unwrap_err();
            assert!(line.starts_with("health") && line.contains(words), "{line}");
        }
    }
}
