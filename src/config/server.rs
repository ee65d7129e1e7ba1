//! Checks the account, hosts and ports in a server's URL, which client libraries print if they cannot read
//! them.

use crate::error::{Error, require};

const SCHEMES: [&str; 14] = [
    "mysql",
    "mariadb",
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "redis-cluster",
    "rediss-cluster",
    "redis-sentinel",
    "rediss-sentinel",
    "redis+sentinel",
    "rediss+sentinel",
    "valkey",
    "valkeys",
];

pub(super) fn is_server(scheme: &str) -> bool {
    SCHEMES.contains(&scheme)
}

/// Refuses a URL in which a part of the password would be read as another part. No error shows a part of
/// the URL.
pub(super) fn check(scheme: &str, rest: &str) -> Result<(), Error> {
    let Some(rest) = rest.strip_prefix("//") else {
        return refuse(format!(
            "its url has no // after {scheme}:; write {scheme}://USER:PASSWORD@HOST/DATABASE"
        ));
    };
    let (authority, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let path = after.split('?').next().unwrap_or_default();
    if path.contains('@') {
        return refuse(
            "its url has an @ after a /; write a / in a user or password as %2F, and an @ in a database's name \
             as %40",
        );
    }
    let (account, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    for (character, written) in [('@', "%40"), ('#', "%23")] {
        if account.contains(character) {
            return refuse(format!(
                "its url has a {character} in its user or password; write it as {written}"
            ));
        }
    }
    if !is_percent_encoded(account) {
        return refuse("its url has a % in its user or password; write it as %25");
    }
    let hosts = hosts.split('#').next().unwrap_or_default();
    if hosts.contains(',') && hosts.split(',').any(str::is_empty) {
        return refuse(
            "its url has an empty place in its list of hosts; write HOST:PORT,HOST:PORT",
        );
    }
    if !hosts.split(',').all(has_port_or_none) {
        return refuse(format!(
            "its url has a port that is no number from 1 to 65535; write {scheme}://USER:PASSWORD@HOST:PORT/DATABASE, and in \
             a password / as %2F, ? as %3F, # as %23 and @ as %40"
        ));
    }
    Ok(())
}

/// Refuses a parameter that PostgreSQL's client library cannot read, since it prints such a parameter.
pub(super) fn check_libpq_parameters<'a>(
    parameters: impl Iterator<Item = &'a str>,
) -> Result<(), Error> {
    for parameter in parameters {
        require(parameter.contains('='), || {
            "its url has a parameter that is not NAME=VALUE; write a & in a value as %26".to_owned()
        })?;
        require(is_percent_encoded(parameter), || {
            "its url has a % in a parameter; write it as %25".to_owned()
        })?;
    }
    Ok(())
}

/// Refuses a server's URL in the place of a file's name, such as `sqlite:mysql://…`.
pub(super) fn check_file(url: &str) -> Result<(), Error> {
    let mut name = url;
    for prefix in ["memory:", "sqlite:", "//", "file:", "//"] {
        name = name.strip_prefix(prefix).unwrap_or(name);
    }
    let end = name.find([':', '/']).unwrap_or(name.len());
    let (scheme, rest) = name.split_at(end);
    let is_server = is_server(&scheme.to_ascii_lowercase())
        && (rest.starts_with(':') || rest.starts_with("//"));
    let is_path = url.starts_with("sqlite:") || url.starts_with("file:");
    let account = name.split_once(':').filter(|_| !is_path);
    let has_account = account.is_some_and(|(_, rest)| rest.contains('@'));
    require(!is_server && !has_account, || {
        "its url is neither a file's nor a server's; write sqlite:FILE for a file, and mysql://…, postgres://… or \
         redis://… alone for a server"
            .to_owned()
    })
}

fn refuse(why: impl Into<String>) -> Result<(), Error> {
    Err(Error::configuration(why))
}

fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let code = rest.as_bytes().get(..2);
        code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit) && code != b"00")
    })
}

fn has_port_or_none(host: &str) -> bool {
    let after = host.rsplit(']').next().unwrap_or_default();
    let Some((_, port)) = after.split_once(':') else {
        return true;
    };
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    port.is_empty() || is_number && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use crate::config::url::check;

    #[test]
    fn no_part_of_a_password_is_printed() {
        for (url, words) in [
            (
                "postgres://bob:S3C/RET@h/x",
                "a / in a user or password as %2F",
            ),
            ("postgres://bob:S3C?RET@h/x", "%3F"),
            ("postgres://bob:S3C#RET@h/x", "%23"),
            ("postgres://bob:S3C@RET@h/x", "%40"),
            ("postgres://bob:S3C%RET@h/x", "%25"),
            ("postgres://bob:S3C%00RET@h/x", "%25"),
            ("postgres://bob:S3CRET", "a port that is no number"),
            ("postgres://bob:S3CRET/x", "a port that is no number"),
            ("postgres://h,bob:S3CRET/x", "a port that is no number"),
            ("postgres://h:1:S3CRET/x", "a port that is no number"),
            ("postgres:bob:S3CRET@h/x", "no // after postgres:"),
            ("postgres:///x?user=bob&password=S3C&RET", "%26"),
            ("postgres:///x?user=bob&password=S3C%RET", "%25"),
            ("mysql://bob:S3C/RET@h/x", "%2F"),
            ("mysql://bob:S3C#RET@h/x", "%23"),
            ("mysql://bob:S3CRET/x", "a port that is no number"),
            ("mysql:bob:S3CRET@h/x", "no // after mysql:"),
            ("mariadb:/bob:S3CRET@h/x", "no // after mariadb:"),
            ("redis://:S3C/RET@h/0", "%2F"),
            ("redis://:S3C#RET@h/0", "%23"),
            ("rediss:S3CRET@h/0", "no // after rediss:"),
            ("redis-cluster://:S3C/RET@h:1,i:2", "%2F"),
            ("sqlite:mysql://bob:S3CRET@h/x", "sqlite:FILE"),
            ("sqlite://mysql://bob:S3CRET@h/x", "sqlite:FILE"),
            ("sqlite:file:mysql://bob:S3CRET@h/x", "sqlite:FILE"),
            ("file:postgres://bob:S3CRET@h/x", "sqlite:FILE"),
            ("memory:redis://:S3CRET@h/0", "sqlite:FILE"),
            ("postgres:mysql://bob:S3CRET@h/x", "no // after postgres:"),
            ("mysql//bob:S3CRET@h/x", "sqlite:FILE"),
            ("//bob:S3CRET@h/x", "sqlite:FILE"),
            ("://bob:S3CRET@h/x", "sqlite:FILE"),
        ] {
            let refusal = check(url).map_err(|error| error.to_string()).unwrap_err();
            assert!(refusal.contains(words), "{url}: {refusal}");
            for part in ["S3C", "RET", "bob"] {
                assert!(!refusal.contains(part), "{url}: {refusal}");
            }
        }
    }

    #[test]
    fn what_the_client_libraries_read_is_accepted() {
        for url in [
            "postgres://bob:S3C%2FRET@h/x",
            "postgres://bob:p@[::1]:5432,h:1/x?application_name=a%20b&options=-c%20geqo%3Doff",
            "postgres://%2Frun%2Fpostgresql/x",
            "postgres:///x?host=/run/a@b",
            "postgres://h",
            "mysql://bob:p%40@h:/x",
            "redis://h/0",
            "rediss://:p@h:1#insecure",
            "redis-cluster://:p@one:1,two:2",
            "redis+unix:///run/a.sock",
            "unix:///run/a@b",
            "sqlite:/srv/a@b:c.db",
            "sqlite:///srv/mysql/app.db",
            "/srv/mysql/app.db",
            "/srv/a@b.db",
        ] {
            let refusal = check(url).map_err(|error| error.to_string());
            assert_eq!(refusal, Ok(()), "{url}");
        }
    }
}
