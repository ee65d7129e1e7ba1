//! Reads `[default.accounts]`: rules for passwords, and limits for attempts.
//!
//! | key | default | accepted | meaning |
//! |---|---|---|---|
//! | `password_min` | `15` | 8 to 64 | characters of a new password |
//! | `password_hash` | `"pbkdf2-sha256"` | or `"pbkdf2-sha512"` | algorithm of new hashes; others are replaced at the next sign-in |
//! | `attempts_per_account` | `10` | 1 to 100 | consecutive wrong passwords without a wait |
//! | `attempts_per_address` | `100` | 1 to 10000 | the same for all accounts of a client address, and for its registrations |
//! | `words` | `["session"]` | a list of words | words that do not make a password, like the owner's name and address |

pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod metrics;

use std::ops::RangeInclusive;

use rocket::fairing::AdHoc;
use rocket::figment::{self, Figment};
use rocket::serde::Deserialize;

use crate::passwords::Algorithm;

#[derive(Clone, Debug, Deserialize)]
#[serde(crate = "rocket::serde", deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) password_min: u32,
    pub(crate) password_hash: Algorithm,
    pub(crate) attempts_per_account: u32,
    pub(crate) attempts_per_address: u32,
    pub(crate) words: Vec<String>,
    /// Whether cookies have the attribute Secure, from `session.cookie.secure`.
    #[serde(skip)]
    pub(crate) secure: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            password_min: 15,
            password_hash: Algorithm::Sha256,
            attempts_per_account: 10,
            attempts_per_address: 100,
            words: vec!["session".to_owned()],
            secure: true,
        }
    }
}

const PASSWORD_MIN: RangeInclusive<u32> = 8..=64;
const PER_ACCOUNT: RangeInclusive<u32> = 1..=100;
const PER_ADDRESS: RangeInclusive<u32> = 1..=10_000;

/// Manages the settings. Aborts the launch with one line if one is wrong.
pub(crate) fn stage() -> AdHoc {
    AdHoc::try_on_ignite("Settings of accounts", |rocket| async {
        match Settings::read(rocket.figment()) {
            Ok(settings) => Ok(rocket.manage(settings)),
            Err(line) => {
                rocket::error!("{line}");
                Err(rocket)
            }
        }
    })
}

impl Settings {
    /// Reads and checks the settings. The error names the key, the value and the accepted
    /// values.
    pub(crate) fn read(figment: &Figment) -> Result<Self, String> {
        let mut settings = match figment.contains("accounts") {
            true => figment
                .extract_inner("accounts")
                .map_err(|error| unreadable(&error))?,
            false => Self::default(),
        };
        for (key, value, range) in [
            ("password_min", settings.password_min, PASSWORD_MIN),
            (
                "attempts_per_account",
                settings.attempts_per_account,
                PER_ACCOUNT,
            ),
            (
                "attempts_per_address",
                settings.attempts_per_address,
                PER_ADDRESS,
            ),
        ] {
            if !range.contains(&value) {
                return Err(format!(
                    "accounts.{key} is {value}; it must be {}",
                    accepted(key)
                ));
            }
        }
        let secure = figment.find_value("session.cookie.secure").ok();
        settings.secure = secure.is_none_or(|value| value.to_bool() == Some(true));
        Ok(settings)
    }
}

fn unreadable(error: &figment::Error) -> String {
    let name = full_name("accounts", error);
    let accepted = accepted(name.strip_prefix("accounts.").unwrap_or_default());
    format!(
        "{name} cannot be used: {}; it must be {accepted}",
        error.kind
    )
}

/// Returns the name of the key that cannot be read, with its table, or the table's alone.
fn full_name(table: &str, error: &figment::Error) -> String {
    // Figment puts the name of the table after the key's.
    match error.path.first().filter(|key| *key != table) {
        Some(key) => format!("{table}.{key}"),
        None => table.to_owned(),
    }
}

/// Returns the accepted values of a key.
fn accepted(key: &str) -> String {
    let number =
        |range: RangeInclusive<u32>| format!("a number from {} to {}", range.start(), range.end());
    match key {
        "password_min" => number(PASSWORD_MIN),
        "password_hash" => r#""pbkdf2-sha256" or "pbkdf2-sha512""#.to_owned(),
        "attempts_per_account" => number(PER_ACCOUNT),
        "attempts_per_address" => number(PER_ADDRESS),
        "words" => r#"a list of words, such as ["session"]"#.to_owned(),
        _ => "a table of the keys that Rocket.toml shows".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use rocket::figment::providers::{Format, Toml};

    use super::*;

    fn read(toml: &str) -> Result<Settings, String> {
        Settings::read(&Figment::from(Toml::string(toml).nested()))
    }

    #[test]
    fn settings_of_accounts_have_defaults() {
        let settings = read("").unwrap();
        let numbers = [
            settings.password_min,
            settings.attempts_per_account,
            settings.attempts_per_address,
        ];
        assert_eq!(numbers, [15, 10, 100]);
        assert_eq!(settings.password_hash, Algorithm::Sha256);
        assert_eq!(
            (settings.words, settings.secure),
            (vec!["session".to_owned()], true)
        );
        let set = "[default.accounts]\npassword_min = 8\npassword_hash = \"pbkdf2-sha512\"\n\
                   words = []\n[default.session.cookie]\nsecure = false";
        let settings = read(set).unwrap();
        assert_eq!((settings.password_min, settings.secure), (8, false));
        assert_eq!(settings.password_hash, Algorithm::Sha512);
    }

    #[test]
    fn invalid_settings_of_accounts_are_refused_with_the_accepted_values() {
        for (setting, given, accepted) in [
            (
                "password_min = 7",
                "accounts.password_min is 7",
                "a number from 8 to 64",
            ),
            (
                "password_min = 65",
                "accounts.password_min is 65",
                "a number from 8 to 64",
            ),
            ("password_min = -1", "-1", "a number from 8 to 64"),
            (
                "password_min = \"many\"",
                "\"many\"",
                "a number from 8 to 64",
            ),
            ("password_hash = \"md5\"", "md5", "\"pbkdf2-sha512\""),
            (
                "attempts_per_account = 0",
                "attempts_per_account is 0",
                "from 1 to 100",
            ),
            (
                "attempts_per_account = 101",
                "attempts_per_account is 101",
                "from 1 to 100",
            ),
            (
                "attempts_per_address = 10001",
                "attempts_per_address is 10001",
                "from 1 to 10000",
            ),
            ("words = \"session\"", "session", "a list of words"),
            ("pasword_min = 15", "pasword_min", "password_min"),
        ] {
            let line = read(&format!("[default.accounts]\n{setting}")).unwrap_err();
            assert!(line.contains(given) && line.contains(accepted), "{line}");
            assert!(
                line.starts_with("accounts") && !line.contains('\n'),
                "{line}"
            );
        }
    }
}
