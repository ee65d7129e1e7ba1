//! Reads `[default.metrics]`: where Prometheus reads the metrics.
//!
//! | key | default | accepted | meaning |
//! |---|---|---|---|
//! | `address` | `"off"` | an IP address and a port, such as `"127.0.0.1:9464"` | serves `GET /metrics`, without a password and without TLS |

use std::net::SocketAddr;

use rocket::figment::Figment;
use rocket::serde::Deserialize;

#[derive(Deserialize)]
#[serde(crate = "rocket::serde", deny_unknown_fields, default)]
struct MetricsSettings {
    address: String,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self {
            address: OFF.to_owned(),
        }
    }
}

const OFF: &str = "off";
const ACCEPTED: &str =
    r#"an IP address and a port, such as "127.0.0.1:9464", or "off" for no metrics"#;

/// Returns the address, or `None` if the metrics are off. The error names the key, the value and the accepted values.
pub(crate) fn address(figment: &Figment) -> Result<Option<SocketAddr>, String> {
    let settings: MetricsSettings = match figment.contains("metrics") {
        true => figment.extract_inner("metrics").map_err(|error| {
            let name = super::full_name("metrics", &error);
            format!(
                "{name} cannot be used: {}; metrics.address must be {ACCEPTED}",
                error.kind
            )
        })?,
        false => MetricsSettings::default(),
    };
    let given = settings.address;
    if given == OFF {
        return Ok(None);
    }
    let Ok(address) = given.parse::<SocketAddr>() else {
        return Err(format!(
            "metrics.address is {given:?}; it must be {ACCEPTED}"
        ));
    };
    if figment.extract_inner("port").ok() == Some(address.port()) {
        return Err(format!(
            "metrics.address is {given:?}, and the application has the same port; choose another port"
        ));
    }
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use rocket::figment::providers::{Format, Toml};

    use super::*;

    fn read(toml: &str) -> Result<Option<SocketAddr>, String> {
        address(&Figment::from(Toml::string(toml).nested()))
    }

    #[test]
    fn metrics_are_off_unless_they_have_an_address() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("[default.metrics]"), Ok(None));
        assert_eq!(read("[default.metrics]\naddress = \"off\""), Ok(None));
        for address in ["127.0.0.1:9464", "[::1]:9464", "0.0.0.0:1"] {
            let setting = format!("[default.metrics]\naddress = {address:?}");
            assert_eq!(read(&setting), Ok(Some(address.parse().unwrap())));
        }
    }

    #[test]
    fn invalid_settings_of_metrics_are_refused_with_the_accepted_values() {
        for (setting, words) in [
            (
                "address = \"localhost:9464\"",
                "metrics.address is \"localhost:9464\"; it must be an IP address and a port",
            ),
            ("address = \"127.0.0.1\"", "\"127.0.0.1:9464\", or \"off\""),
            ("address = \"\"", "metrics.address is \"\""),
            ("address = 9464", "metrics.address cannot be used"),
            ("adress = \"off\"", "adress"),
        ] {
            let line = read(&format!("[default.metrics]\n{setting}")).unwrap_err();
            assert!(
                line.starts_with("metrics") && line.contains(words),
                "{line}"
            );
            assert!(line.contains("an IP address and a port"), "{line}");
        }
        let same = "[default]\nport = 8000\n[default.metrics]\naddress = \"127.0.0.2:8000\"";
        let line = read(same).unwrap_err();
        assert!(line.contains("127.0.0.2:8000") && line.contains("choose another port"));
    }
}
