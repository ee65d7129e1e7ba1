//! Detects a pooler in front of PostgreSQL that gives each transaction or statement any free connection.

use std::collections::HashMap;

use diesel::connection::Connection;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel::{PgConnection, QueryResult, RunQueryDsl, sql_query};

use crate::error::{Error, require};

/// A pooler may be several processes, each with its own connections.
const CONNECTIONS: usize = 4;
const ROUNDS: usize = 4;

/// Selects the server process of this connection. Another server may have a process of the same number,
/// so the start time belongs to it.
const PROCESS: &str = "SELECT CAST(pid AS TEXT) || ' ' || CAST(backend_start AS TEXT) AS process \
    FROM pg_stat_activity WHERE pid = pg_backend_pid()";

#[derive(QueryableByName)]
struct Served {
    #[diesel(sql_type = Nullable<Text>)]
    process: Option<String>,
}

/// Fails for a pooler that accepts no transactions, and for one that shares prepared statements.
pub(super) fn check(
    connect: impl Fn() -> Result<PgConnection, Error>,
    statement_cache: bool,
) -> Result<(), Error> {
    let mut first = connect()?;
    let begun = first.transaction(|_| QueryResult::Ok(()));
    require(begun.is_ok(), || {
        "it accepts no transactions; put the pooler in front of it into session mode, or into transaction mode \
         and add statement_cache = false"
            .to_owned()
    })?;
    if !statement_cache {
        return Ok(());
    }
    // An account may have fewer.
    let others = (1..CONNECTIONS).map_while(|_| connect().ok());
    let mut connections: Vec<_> = std::iter::once(first).chain(others).collect();
    let shared = are_shared(&mut connections).map_err(|cause| {
        Error::unavailable("PostgreSQL does not name its processes").with_source(cause)
    })?;
    require(!shared, || {
        "a pooler in front of it gives one connection of PostgreSQL to several clients, which would run each \
         other's prepared statements; add statement_cache = false, or put the pooler into session mode"
            .to_owned()
    })
}

/// Returns `true` if one process serves two connections, or two processes serve one.
fn are_shared(connections: &mut [PgConnection]) -> QueryResult<bool> {
    let mut served = HashMap::new();
    for _ in 0..ROUNDS {
        for (number, connection) in connections.iter_mut().enumerate() {
            // The second time in a row, a pooler that takes its connections in turn gives another.
            for _ in 0..2 {
                let processes: Vec<Served> = sql_query(PROCESS).load(connection)?;
                let Some(process) = processes.into_iter().next().and_then(|it| it.process) else {
                    return Ok(false);
                };
                served.entry(process).or_insert(number);
            }
        }
    }
    // Each connection has one process, and each process one connection.
    let mut numbers: Vec<_> = served.into_values().collect();
    numbers.sort_unstable();
    Ok(numbers != (0..connections.len()).collect::<Vec<_>>())
}
