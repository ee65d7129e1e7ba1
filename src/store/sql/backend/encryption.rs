//! Checks that connections to MariaDB and MySQL are encrypted as their URL demands.
//!
//! MariaDB's client library does not know `ssl_mode`: it encrypts if it has an `ssl_ca`, never verifies
//! the server's name, and sends plain text to a server that offers no TLS.

use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;
use diesel::{MysqlConnection, QueryResult, RunQueryDsl, sql_query};

use crate::error::{Error, require};

#[derive(QueryableByName)]
struct CipherVariable {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// Refuses an `ssl_mode` that the client library would ignore.
pub(crate) fn check(url: &str) -> Result<(), Error> {
    let verified = mysqlclient_sys::SUPPORTS_MYSQL_SSL_MODE;
    require(
        verified || mode(url).as_deref() != Some("verify_identity"),
        || {
            "its url has ssl_mode=verify_identity, but MariaDB's client library, with which this was \
         built, verifies no names; write ssl_mode=verify_ca&ssl_ca=FILE, where FILE is an authority \
         that has certified this server alone"
            .to_owned()
        },
    )
}

/// Returns the error for a connection that is not encrypted although its URL demands it.
pub(super) fn check_connection(
    connection: &mut MysqlConnection,
    url: &str,
) -> QueryResult<Option<&'static str>> {
    if !is_demanded(url) {
        return Ok(None);
    }
    let cipher = sql_query("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    let CipherVariable { value } = cipher.get_result(connection)?;
    Ok(value.is_empty().then_some(
        "its url asks for TLS, but the connection has none; the server has to offer it, and \
         MariaDB's client library needs ssl_ca=FILE",
    ))
}

fn is_demanded(url: &str) -> bool {
    match mode(url).as_deref() {
        Some("disabled" | "preferred") => false,
        Some(_) => true,
        None => parameter(url, "ssl_ca").is_some(),
    }
}

fn mode(url: &str) -> Option<String> {
    parameter(url, "ssl_mode").map(str::to_lowercase)
}

fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, parameters) = url.split_once('?')?;
    let mut pairs = parameters
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_whether_tls_is_demanded() {
        for (parameters, demanded) in [
            ("", false),
            ("?unix_socket=/run/mysqld.sock", false),
            ("?ssl_mode=disabled", false),
            ("?ssl_mode=PREFERRED&ssl_ca=ca.crt", false),
            ("?ssl_ca=ca.crt", true),
            ("?ssl_mode=required", true),
            ("?ssl_ca=ca.crt&ssl_mode=Verify_CA", true),
        ] {
            let url = format!("mysql://user:ssl_ca=@127.0.0.1/app{parameters}");
            assert_eq!(is_demanded(&url), demanded, "{url}");
        }
    }
}
