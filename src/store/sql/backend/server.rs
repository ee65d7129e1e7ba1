//! Checks the settings of a MariaDB or MySQL server.

use std::collections::HashMap;

use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;
use diesel::{MysqlConnection, QueryResult, RunQueryDsl, sql_query};

use crate::error::{Error, require, require_room};

#[derive(QueryableByName)]
struct ServerVariable {
    #[diesel(sql_type = Text, column_name = "Variable_name")]
    name: String,
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// Fails if the server accepts no writes of this crate, or none as large as `max_data`.
pub(super) fn check(connection: &mut MysqlConnection, max_data: u64) -> Result<(), Error> {
    let variables = variables(connection).map_err(|cause| {
        Error::unavailable("the server's variables could not be read").with_source(cause)
    })?;
    let is = |name, expected: &str| variables.get(name).is_some_and(|value| value == expected);
    let packet = variables.get("max_allowed_packet");
    let packet = packet.and_then(|bytes| bytes.parse::<u64>().ok());
    require_room(max_data, "max_allowed_packet", packet)?;
    // MySQL spells a switch ON or 1, by its version.
    let logs = ["log_bin", "sql_log_bin"].map(|name| is(name, "ON") || is(name, "1"));
    require(
        logs.contains(&false) || !is("binlog_format", "STATEMENT"),
        || {
            "the server's binlog_format is STATEMENT, with which InnoDB refuses every write at READ COMMITTED; \
             set it to ROW or MIXED"
                .to_owned()
        },
    )
}

fn variables(connection: &mut MysqlConnection) -> QueryResult<HashMap<String, String>> {
    let show = "SHOW VARIABLES WHERE Variable_name IN \
        ('binlog_format', 'log_bin', 'sql_log_bin', 'max_allowed_packet')";
    let variables: Vec<ServerVariable> = sql_query(show).load(connection)?;
    let pairs = variables.into_iter().map(|it| (it.name, it.value));
    Ok(pairs.collect())
}
