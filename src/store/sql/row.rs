//! From a record to a row of the table, and back.

use super::statement::{Row, Value};
use crate::record::Record;
use crate::token::Key;

/// The columns that are written, in the order of the table.
pub(super) fn values(record: &Record) -> [Value<'_>; 10] {
    [
        Value::of(&record.key),
        record.user_id.as_deref().into(),
        record.data.as_str().into(),
        record.version.into(),
        record.created_at.into(),
        record.seen_at.into(),
        record.expires_at.into(),
        record.deadline.into(),
        record.user_agent.as_deref().into(),
        record.ip.as_deref().into(),
    ]
}

/// Returns a record, and the row of its user.
pub(super) fn record(row: Row) -> (Record, Option<String>) {
    let (id, user_id, data, version, created_at, seen_at, expires_at, deadline, agent, ip, user) =
        row;
    let user_agent = agent;
    let key = Key::from_stored(id);
    let record = Record {
        key,
        user_id,
        data,
        version,
        created_at,
        seen_at,
        expires_at,
        deadline,
        user_agent,
        ip,
    };
    (record, user)
}
