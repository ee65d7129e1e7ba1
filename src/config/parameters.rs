//! Translates the URL parameters of sqlx, `mysql_async` and `tokio-postgres`, on which Rocket's own pools are
//! built.

use super::sqlite::is_scheme;
use crate::error::{Error, require};

/// Their name of a parameter, and the client library's. A parameter without the latter is ignored.
const OF_MYSQL: [(&str, Option<&str>); 35] = [
    ("sslmode", Some("ssl_mode")),
    ("ssl-mode", Some("ssl_mode")),
    ("sslca", Some("ssl_ca")),
    ("ssl-ca", Some("ssl_ca")),
    ("sslcert", Some("ssl_cert")),
    ("ssl-cert", Some("ssl_cert")),
    ("sslkey", Some("ssl_key")),
    ("ssl-key", Some("ssl_key")),
    ("socket", Some("unix_socket")),
    ("abs_conn_ttl", None),
    ("abs_conn_ttl_jitter", None),
    ("charset", None),
    ("client_found_rows", None),
    ("collation", None),
    ("compression", None),
    ("conn_ttl", None),
    ("connection-attributes", None),
    ("enable_cleartext_plugin", None),
    ("inactive_connection_ttl", None),
    ("max_allowed_packet", None),
    ("pool_max", None),
    ("pool_min", None),
    ("prefer_socket", None),
    // True is refused.
    ("require_ssl", None),
    ("reset_connection", None),
    ("secure_auth", None),
    ("statement-cache-capacity", None),
    ("stmt_cache_size", None),
    ("tcp_keepalive", None),
    ("tcp_nodelay", None),
    ("timezone", None),
    ("ttl_check_interval", None),
    ("verify_ca", None),
    ("verify_identity", None),
    ("wait_timeout", None),
];

const OF_POSTGRESQL: [(&str, Option<&str>); 8] = [
    ("sslmode", Some("sslmode")),
    ("ssl-mode", Some("sslmode")),
    ("ssl-ca", Some("sslrootcert")),
    ("ssl-root-cert", Some("sslrootcert")),
    ("ssl-cert", Some("sslcert")),
    ("ssl-key", Some("sslkey")),
    ("keepalives_retries", Some("keepalives_count")),
    ("statement-cache-capacity", None),
];

/// Returns the URL as the client library reads it, and the parameters that were left out.
///
/// After an `@`, the question mark may be a part of the password.
pub(super) fn translated(url: &str) -> Result<(String, Vec<String>), Error> {
    let url = &with_usual_scheme(url);
    let table = match url.split_once(':').unwrap_or_default().0 {
        "mysql" | "mariadb" => &OF_MYSQL[..],
        "postgres" | "postgresql" => &OF_POSTGRESQL,
        _ => &[],
    };
    let query = url
        .split_once('?')
        .filter(|(_, query)| !query.contains('@'));
    let (Some((place, query)), false) = (query, table.is_empty()) else {
        return Ok((url.to_owned(), Vec::new()));
    };
    let (mut parameters, mut options, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let known = table.iter().find(|(theirs, _)| *theirs == name);
        let known = known.filter(|_| parameter.contains('='));
        require(name != "require_ssl" || value == "false", require_ssl)?;
        match known {
            Some((_, Some("sslmode"))) => {
                parameters.push(format!("sslmode={}", value.to_lowercase()))
            }
            Some((_, Some(ours))) => parameters.push(format!("{ours}={value}")),
            Some((_, None)) => ignored.push(name.to_owned()),
            None => match option(name) {
                Some(option) => options.push(format!("-c%20{option}={value}")),
                None => parameters.push(parameter.to_owned()),
            },
        }
    }
    if !options.is_empty() {
        let is_option = |parameter: &mut String| parameter.starts_with("options=");
        let given = parameters.extract_if(.., is_option);
        let given: Vec<_> = given
            .map(|given| given["options=".len()..].to_owned())
            .collect();
        let options = [given, options].concat().join("%20");
        parameters.push(format!("options={options}"));
    }
    let query = parameters.join("&");
    let sign = if query.is_empty() { "" } else { "?" };
    Ok((format!("{place}{sign}{query}"), ignored))
}

/// Writes a known scheme in lower case, since most crates accept any case.
fn with_usual_scheme(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(&scheme.to_ascii_lowercase()) => {
            format!("{}://{rest}", scheme.to_ascii_lowercase())
        }
        _ => url.to_owned(),
    }
}

/// Returns the setting in `options[setting]`, sqlx's spelling of a setting of PostgreSQL.
fn option(name: &str) -> Option<&str> {
    let opened = ["options[", "options%5B", "options%5b"];
    let name = opened.iter().find_map(|opened| name.strip_prefix(opened))?;
    ["]", "%5D", "%5d"]
        .iter()
        .find_map(|closed| name.strip_suffix(closed))
}

fn require_ssl() -> String {
    "its url has require_ssl, which the client library of the sessions does not know; give the sessions an entry \
     with ssl_mode=verify_ca&ssl_ca=FILE in its url, and name it in session.database"
        .to_owned()
}

/// Returns how to demand TLS, if a URL reaches over the network and does not demand it.
pub(super) fn without_tls(url: &str) -> Option<&'static str> {
    let value = |name: &str| {
        let (_, query) = url.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_lowercase())
    };
    let is_one_of = |value: Option<String>, demands: &[&str]| {
        value.is_some_and(|value| demands.contains(&value.as_str()))
    };
    let (demanded, remedy) = match url.split_once(':').unwrap_or_default().0 {
        "mysql" | "mariadb" => {
            let mode = value("ssl_mode").or(value("ssl_ca").map(|_| "verify_ca".to_owned()));
            let demands = ["required", "verify_ca", "verify_identity"];
            let remedy = "add ssl_mode=verify_ca&ssl_ca=FILE to its url";
            (is_one_of(mode, &demands), remedy)
        }
        "postgres" | "postgresql" => {
            let demands = ["require", "verify-ca", "verify-full"];
            let remedy = "add sslmode=verify-full&sslrootcert=FILE to its url";
            (is_one_of(value("sslmode"), &demands), remedy)
        }
        "redis" | "valkey" => (false, "begin its url with rediss://"),
        "redis-cluster" => (false, "begin its url with rediss-cluster://"),
        "redis-sentinel" | "redis+sentinel" => (false, "begin its url with rediss-sentinel://"),
        _ => return None,
    };
    (!demanded).then_some(remedy)
}
