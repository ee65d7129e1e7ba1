//! Reads an entry of `[default.databases]` that Rocket's own pools share.

use rocket::figment::Figment;
use rocket::figment::providers::Serialized;
use rocket::figment::value::{Dict, Num, Value};

use super::unreadable::unreadable;
use super::{DatabaseConfig, parameters};
use crate::error::{Error, require};

/// The settings of `rocket_sync_db_pools` and `rocket_db_pools` alone.
const THEIRS: [&str; 5] = [
    "connect_timeout",
    "extensions",
    "max_connections",
    "min_connections",
    "open_flags",
];

/// Their settings that demand TLS, which the sessions demand in the URL.
const OF_TLS: [&str; 2] = ["certs", "tls"];

/// The smallest and the largest number of a setting that both have, the unit, and the largest that
/// Rocket's pools take.
const BOUNDS: [(&str, u64, u64, &str, u64); 3] = [
    ("idle_timeout", 1, 24 * 60 * 60, " seconds", u64::MAX),
    ("pool_size", 0, 256, "", u32::MAX as u64),
    ("timeout", 0, 60, " seconds", u8::MAX as u64),
];

/// Reads an entry, and logs the settings that are for Rocket's own pools only.
pub(super) fn read(figment: &Figment, key: &str) -> Result<DatabaseConfig, Error> {
    let entry = figment.extract_inner(key);
    let mut entry: Dict = entry.map_err(|mut error: rocket::figment::Error| {
        // Else the entry would be named twice.
        error.path.clear();
        unreadable(key, error)
    })?;
    let take = |keys: &[&'static str], entry: &mut Dict| -> Vec<(&'static str, Value)> {
        let taken = keys.iter().copied();
        taken
            .filter_map(|key| entry.remove(key).map(|value| (key, value)))
            .collect()
    };
    let (theirs, of_tls) = (take(&THEIRS, &mut entry), take(&OF_TLS, &mut entry));
    bound(&mut entry, key);
    let entry = Figment::from(Serialized::globals(entry)).extract();
    let mut config: DatabaseConfig = entry.map_err(|error| unreadable(key, error))?;
    let named = |error| Error::configuration(format!("{key}: {error}"));
    let (url, ignored) = parameters::translated(&config.url).map_err(named)?;
    check_tls(key, &url, &of_tls)?;
    let keys = theirs
        .iter()
        .chain(&of_tls)
        .map(|(key, _)| (*key).to_owned());
    let ignored = ignored.iter().map(|name| format!("{name} in its url"));
    let ignored: Vec<_> = keys.chain(ignored).collect();
    if !ignored.is_empty() {
        let ignored = ignored.join(", ");
        log::info!(
            "{key}: {ignored} are for Rocket's own pools; the sessions go by pool_size, timeout, \
             idle_timeout and max_lifetime"
        );
    }
    config.url = url;
    Ok(config)
}

/// Clamps numbers that Rocket's pools accept and the sessions do not. Rocket's pools write no text.
fn bound(entry: &mut Dict, key: &str) {
    for (setting, least, most, unit, largest) in BOUNDS {
        let given = entry.get(setting).and_then(Value::to_num);
        let given = given.and_then(Num::to_u128_lossy);
        let given = given.and_then(|given| u64::try_from(given).ok());
        let Some(given) = given.filter(|given| *given <= largest) else {
            continue;
        };
        let used = given.clamp(least, most);
        if used != given {
            log::info!(
                "{key}.{setting} is {given}, for Rocket's own pools; the sessions use {used}{unit}"
            );
            entry.insert(setting.to_owned(), used.into());
        }
    }
}

fn check_tls(key: &str, url: &str, of_tls: &[(&str, Value)]) -> Result<(), Error> {
    let mut demands = of_tls.iter();
    let demand = demands.find(|(_, value)| value.to_bool() != Some(false));
    match (demand, parameters::without_tls(url)) {
        (Some((setting, _)), Some(remedy)) => require(false, || {
            format!(
                "{key}.{setting} would have no effect, and the sessions would go over the network without TLS; \
                 leave it out, and {remedy}"
            )
        }),
        _ => Ok(()),
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use rocket::figment::Figment;
    use rocket::figment::providers::{Format, Toml};

    use crate::config::DatabaseConfig;

    fn read(entry: &str) -> Result<DatabaseConfig, String> {
        let figment = Figment::from(Toml::string(&format!("[databases.app]\n{entry}")));
        DatabaseConfig::read(&figment, "app").map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_of_rockets_pools_that_are_too_large_are_bounded() {
        for (setting, used) in [
            ("timeout = 61", (8, 60, 600)),
            ("timeout = 255", (8, 60, 600)),
            ("idle_timeout = 90000", (8, 2, 86_400)),
            ("idle_timeout = 9223372036854775807", (8, 2, 86_400)),
            ("idle_timeout = 0", (8, 2, 1)),
            ("pool_size = 400", (256, 2, 600)),
        ] {
            let entry = read(&format!("url = \"app.db\"\n{setting}"));
            let entry = entry.map(|entry| {
                let idle = entry.bounds().idle_timeout.as_secs();
                (entry.pool_size, entry.timeout().as_secs(), idle)
            });
            assert_eq!(entry, Ok(used), "{setting}");
        }
    }

    #[test]
    fn what_no_pool_takes_is_refused() {
        for setting in [
            "timeout = 0",
            "timeout = 256",
            "timeout = \"90s\"",
            "idle_timeout = \"25h\"",
            "max_lifetime = 90000",
            "pool_size = 0",
        ] {
            let refusal = read(&format!("url = \"app.db\"\n{setting}")).unwrap_err();
            let key = setting.split(' ').next().unwrap();
            let key = format!("databases.app.{key} is ");
            assert!(refusal.contains(&key), "{setting}: {refusal}");
        }
    }

    #[test]
    fn parameters_of_rockets_pools_are_read_as_they_mean_them() {
        for (url, meant) in [
            ("sqlite:app.db?mode=rwc", "sqlite:file:app.db?mode=rwc"),
            ("sqlite:/srv/a.db?mode=rw", "sqlite:file:/srv/a.db?mode=rw"),
            (
                "mysql://ada:p%3Fw@h/app?ssl-mode=VERIFY_CA&ssl-ca=/ca.pem&charset=utf8mb4",
                "mysql://ada:p%3Fw@h/app?ssl_mode=VERIFY_CA&ssl_ca=/ca.pem",
            ),
            (
                "mysql://h/app?sslmode=disabled&sslca=a&sslcert=b&sslkey=c",
                "mysql://h/app?ssl_mode=disabled&ssl_ca=a&ssl_cert=b&ssl_key=c",
            ),
            (
                "mysql://h/app?ssl-cert=b&ssl-key=c&collation=x&timezone=%2B00:00&statement-cache-capacity=9",
                "mysql://h/app?ssl_cert=b&ssl_key=c",
            ),
            (
                "mariadb://localhost/app?socket=/run/m.sock&pool_min=1&pool_max=9&stmt_cache_size=1",
                "mariadb://localhost/app?unix_socket=/run/m.sock",
            ),
            ("mysql://h/app?require_ssl=false", "mysql://h/app"),
            (
                "postgres://h/app?ssl-mode=Verify-Full&ssl-root-cert=/ca.pem&statement-cache-capacity=0",
                "postgres://h/app?sslmode=verify-full&sslrootcert=/ca.pem",
            ),
            (
                "postgresql://h/app?sslmode=REQUIRE&ssl-ca=a&ssl-cert=b&ssl-key=c",
                "postgresql://h/app?sslmode=require&sslrootcert=a&sslcert=b&sslkey=c",
            ),
            (
                "postgres://h/app?options[search_path]=site&options%5Bgeqo%5D=off&application_name=x",
                "postgres://h/app?application_name=x&options=-c%20search_path=site%20-c%20geqo=off",
            ),
            (
                "postgres://h/app?options=-c%20geqo%3Doff&options[search_path]=a,b",
                "postgres://h/app?options=-c%20geqo%3Doff%20-c%20search_path=a,b",
            ),
            (
                "postgres://h/app?keepalives_retries=3&target_session_attrs=read-write",
                "postgres://h/app?keepalives_count=3&target_session_attrs=read-write",
            ),
            ("redis://h/0?protocol=resp3", "redis://h/0?protocol=resp3"),
            ("valkeys://h/0", "valkeys://h/0"),
            ("MySQL://Ada@H/App", "mysql://Ada@H/App"),
            (
                "POSTGRES://h/app?ssl-ca=a",
                "postgres://h/app?sslrootcert=a",
            ),
            ("Redis://h/0", "redis://h/0"),
            (
                "redis+unix:///run/r.sock?db=1",
                "redis+unix:///run/r.sock?db=1",
            ),
        ] {
            let entry = read(&format!("url = {url:?}"));
            assert_eq!(entry.map(|entry| entry.url), Ok(meant.to_owned()), "{url}");
        }
    }

    #[test]
    fn a_demand_for_tls_that_cannot_be_kept_is_refused() {
        for (entry, words) in [
            (
                "url = \"mysql://h/app?require_ssl=true\"",
                "ssl_mode=verify_ca&ssl_ca=FILE",
            ),
            (
                "url = \"mysql://h/app?require_ssl=true&verify_ca=false\"",
                "require_ssl",
            ),
            (
                "url = \"postgres://h/app\"\ntls = true",
                "sslmode=verify-full",
            ),
            (
                "url = \"postgres://h/app?sslmode=prefer\"\ncerts = \"a\"",
                "sslmode=verify-full",
            ),
            (
                "url = \"mysql://h/app?ssl_mode=preferred\"\ntls = {}",
                "ssl_mode=verify_ca",
            ),
            ("url = \"redis://h/0\"\ntls = true", "rediss://"),
        ] {
            let refusal = read(entry).unwrap_err();
            for words in [words, "databases.app"] {
                assert!(refusal.contains(words), "{entry}: {refusal}");
            }
        }
        for entry in [
            "url = \"app.db\"\ntls = true",
            "url = \"postgres://h/app\"\ntls = false",
            "url = \"postgres://h/app?sslmode=verify-full\"\ncerts = \"a\"",
            "url = \"mysql://h/app?ssl-ca=a\"\ntls = true",
            "url = \"rediss://h/0\"\ntls = true",
        ] {
            assert!(read(entry).is_ok(), "{entry}");
        }
    }

    #[test]
    fn an_entry_that_is_no_table_is_named_once() {
        let figment = Figment::from(Toml::string("[databases]\napp = \"app.db\""));
        let refusal = DatabaseConfig::read(&figment, "app")
            .unwrap_err()
            .to_string();
        assert!(
            refusal.starts_with("databases.app cannot be used: "),
            "{refusal}"
        );
    }

    #[test]
    fn a_parameter_of_no_pool_is_refused() {
        for (url, words) in [
            ("sqlite:app.db?mood=rwc", "part of the file's name"),
            ("mysql://h/app?ssl-moed=x", "ssl-moed"),
            (
                "mysql://h/app?ssl-mode=disabled&ssl_mode=verify_ca",
                "twice",
            ),
            // It may be the end of a password.
            ("mysql://ada:x?charset=@h/app", "? as %3F"),
            ("redis+unix:///run/r.sock?password=x", "password"),
        ] {
            let refusal = read(&format!("url = {url:?}")).unwrap_err();
            assert!(refusal.contains(words), "{url}: {refusal}");
        }
    }
}
