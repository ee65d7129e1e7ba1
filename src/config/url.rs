//! Checks a database's URL for parts that a backend would silently ignore or misread.

use percent_encoding::percent_decode_str;

use super::{server, sqlite};
use crate::error::{Error, require};

/// The parameters of SQLite's own URIs.
pub(super) const OF_SQLITE: &[&str] = &[
    "cache",
    "immutable",
    "mode",
    "modeof",
    "nolock",
    "psow",
    "vfs",
];

/// The beginnings of libpq's connection strings, which Rocket's pools accept for PostgreSQL.
const OF_LIBPQ: [&str; 7] = [
    "host=",
    "hostaddr=",
    "port=",
    "dbname=",
    "user=",
    "password=",
    "service=",
];

/// Refuses a parameter that would be ignored, and an SQLite database without a file.
pub(super) fn check(url: &str) -> Result<(), Error> {
    // It may hold a password.
    require(
        !OF_LIBPQ.iter().any(|key| url.trim_start().starts_with(key)),
        || {
            "its url is a connection string of libpq; write postgres://USER:PASSWORD@HOST/DATABASE, which \
         Rocket's own pools read, too"
            .to_owned()
        },
    )?;
    let (scheme, rest) = url.split_once(':').unwrap_or_default();
    match scheme {
        "redis+unix" | "unix" => {}
        _ if server::is_server(scheme) => server::check(scheme, rest)?,
        "memory" => server::check_file(url)?,
        _ => {}
    }
    if let Some(name) = sqlite::name(url) {
        server::check_file(url)?;
        return check_sqlite(url, &name);
    }
    match scheme {
        "mysql" | "mariadb" => check_mysql(rest),
        "redis" | "valkey" => check_parameters(rest, &["protocol"]),
        "rediss" | "valkeys" => check_parameters(rest, &["protocol", "ssl_ca"]),
        "redis+unix" | "unix" => check_parameters(rest, &["db", "pass", "protocol", "user"]),
        "redis-cluster" => check_parameters(rest, &[]),
        "rediss-cluster" => check_parameters(rest, &["ssl_ca"]),
        "redis-sentinel" | "redis+sentinel" => {
            check_parameters(rest, &["sentinel_pass", "sentinel_user"])
        }
        "rediss-sentinel" | "rediss+sentinel" => {
            check_parameters(rest, &["sentinel_pass", "sentinel_user", "ssl_ca"])
        }
        // PostgreSQL's client library knows its parameters, of which each version has more.
        "postgres" | "postgresql" => server::check_libpq_parameters(parameters(rest)),
        _ => Ok(()),
    }
}

/// Returns a line for the log of the launch, with the scheme, host and database of a URL and without its
/// account and parameters.
pub(crate) fn opened_at(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let (account, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let place = place.split('?').next().unwrap_or_default();
    match account.contains('?') {
        // Then no one can say where the password ends.
        true => format!("opened a database of {scheme}"),
        false => format!("opened the database {scheme}://{place}"),
    }
}

fn check_mysql(rest: &str) -> Result<(), Error> {
    let known = ["ssl_ca", "ssl_cert", "ssl_key", "ssl_mode", "unix_socket"];
    check_parameters(rest, &known)?;
    let authority = rest.trim_start_matches('/').split(['/', '?']).next();
    let host = authority.and_then(|it| it.rsplit('@').next());
    let host = host.and_then(|it| it.split(':').next());
    let socket = parameters(rest).any(|parameter| parameter.starts_with("unix_socket="));
    require(!socket || host == Some("localhost"), || {
        "its url has unix_socket, which is used for the host localhost alone; name that host, or leave \
         unix_socket out"
            .to_owned()
    })
}

/// `path` is what SQLite opens, which may be a URI.
fn check_sqlite(url: &str, path: &str) -> Result<(), Error> {
    let is_uri = path.starts_with("file:");
    if is_uri {
        check_parameters(path, OF_SQLITE)?;
    }
    require(is_uri || !path.contains('?'), || {
        format!(
            "its url is {url:?}, where ? is a part of the file's name; a parameter needs sqlite:file:FILE?…, or sqlite://FILE?…, \
             which Rocket's own pools read, too"
        )
    })?;
    // sqlx reads it as a part of the name, Diesel as its end.
    require(!url.starts_with("sqlite://") || !url.contains('#'), || {
        format!("its url is {url:?}, where # ends the file's name; percent-encode it, as %23")
    })?;
    require(!path.contains("%00"), || {
        format!("its url is {url:?}, which SQLite reads up to %00 alone; leave that out")
    })?;
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    let is = |given| parameters(path).any(|parameter| decoded(parameter) == given);
    let in_memory = is_uri && (is("mode=memory") || is("vfs=memdb"));
    let name = sqlite::file_of(path);
    let is_file = !in_memory && !name.is_empty() && !name.eq_ignore_ascii_case(":memory:");
    require(is_file, || {
        format!(
            "its url is {url:?}, a database that each connection would have for itself; write sqlite:FILE, or \
             memory: for sessions in memory"
        )
    })
}

fn check_parameters(url: &str, known: &[&str]) -> Result<(), Error> {
    let mut seen = Vec::new();
    for parameter in parameters(url) {
        let name = parameter.split('=').next().unwrap_or_default();
        let is_name =
            |character: char| character.is_ascii_alphanumeric() || "_%-".contains(character);
        // Otherwise it may be the end of a password.
        require(name.chars().all(is_name), || {
            "its url has a ? without parameters; percent-encode it in a user or password, as %3F"
                .to_owned()
        })?;
        require(known.contains(&name), || {
            let known = match known {
                [] => "none is".to_owned(),
                known => known.join(", "),
            };
            format!("its url has the parameter {name:?}, which is not known; known: {known}")
        })?;
        require(!seen.contains(&name), || {
            format!("its url has the parameter {name:?} twice; leave one out")
        })?;
        seen.push(name);
    }
    Ok(())
}

pub(super) fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let url = url.split('#').next().unwrap_or_default();
    let (_, parameters) = url.split_once('?').unwrap_or_default();
    parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_launch_has_no_password() {
        for (url, place) in [
            (
                "mysql://ada:secret@host:1/app?ssl_ca=a.crt",
                "the database mysql://host:1/app",
            ),
            ("postgres://host/app", "the database postgres://host/app"),
            (
                "postgres:///app?host=/run&password=secret",
                "the database postgres:///app",
            ),
            (
                "postgres://host/app?password=secret@secret",
                "a database of postgres",
            ),
            ("mysql://ada:secret?secret@host/app", "a database of mysql"),
            (
                "mysql://ada:secret@secret/secret@host/app",
                "the database mysql://host/app",
            ),
            (
                "redis-cluster://:secret@one:1,two:2",
                "the database redis-cluster://one:1,two:2",
            ),
        ] {
            assert_eq!(opened_at(url), format!("opened {place}"));
        }
    }

    #[test]
    fn a_url_with_known_parameters_is_accepted() {
        for url in [
            "sqlite:app.db",
            "sqlite:/var/lib/app#1.db",
            "sqlite:///var/lib/app.db",
            "app.db",
            "/var/lib/app:1.db",
            "file:app.db?mode=rw",
            "sqlite:file:app.db?mode=rwc&cache=private",
            "sqlite:file:///var/lib/app.db",
            "sqlite:./:memory:",
            "sqlite:#1.db",
            "sqlite:file:///:memory:",
            "mysql://ada:p%3Fw@host/app?ssl_mode=verify_ca&ssl_ca=/etc/ca.crt",
            "mariadb://ada@localhost/app?unix_socket=/run/a@b",
            "mysql://ada:p%2Cw@one:1,[::1]:2,three/app",
            "postgres://one,two:2/app?target_session_attrs=read-write",
            "postgres://host/app?sslmode=require&application_name=x",
            "redis://:p%3Fw@host:1/2?protocol=resp3",
            "rediss://host?#insecure",
            "rediss://host/0?ssl_ca=/etc/ca.crt",
            "rediss-cluster://one:1,two:2?ssl_ca=/etc/ca.crt",
            "redis-cluster://one:1,two:2/",
            "redis-sentinel://:p@one,two:2/service/1?sentinel_user=a&sentinel_pass=p",
            "rediss+sentinel://one/service?ssl_ca=/etc/ca.crt",
            "memory:",
        ] {
            check(url).unwrap();
        }
    }

    #[test]
    fn a_parameter_that_would_not_be_used_is_refused() {
        for (url, why) in [
            ("mysql://ada@host/app?unix_socket=/run/s", "localhost alone"),
            ("mysql://ada@one,,two/app", "an empty place"),
            (
                "mysql://host/app?ssl_mode=disabled&ssl_mode=verify_ca",
                "twice",
            ),
            ("sqlite:file:app.db?mode=rwc&mode=ro", "twice"),
        ] {
            let refusal = check(url).unwrap_err().to_string();
            assert!(refusal.contains(why), "{refusal}");
        }
    }

    #[test]
    fn a_refusal_has_no_password() {
        for url in [
            "mysql://ada:se?cret@host/app",
            "redis://:se?cret@host/0",
            "mysql://ada:?secret@host/app?ssl_ca=a.crt",
            "mysql://ada:secret@host/app?read_timeout=secret",
        ] {
            let refusal = check(url).unwrap_err().to_string();
            assert!(!refusal.contains("cret"), "{refusal}");
        }
    }
}
