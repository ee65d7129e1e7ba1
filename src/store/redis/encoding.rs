//! Turns a record into the fields of a Redis hash, and back.

use std::collections::HashMap;

use crate::record::Record;
use crate::token::Key;

/// The field of a record that nobody may read yet, since its renewal is under way.
pub(super) const PENDING: &str = "pending";

/// How much longer than its lifetime Redis keeps a record, in milliseconds: its clock may differ. The
/// application decides to the millisecond whether the record has expired.
const CLOCK_SKEW: i64 = 60_000;

/// Ten years: longer lifetimes overflow in Redis.
const LONGEST: i64 = 10 * 365 * 24 * 60 * 60 * 1000;

/// Returns how many milliseconds Redis keeps a record from `now` that expires at `end`.
pub(super) fn lifetime(now: i64, end: i64) -> String {
    let rest = end.saturating_sub(now).clamp(0, LONGEST);
    (rest + CLOCK_SKEW).to_string()
}

/// Returns names and values in turn, without fields that are `None`.
pub(super) fn fields(record: &Record) -> Vec<String> {
    let number = |number: i64| Some(number.to_string());
    let fields = [
        ("user_id", record.user_id.clone()),
        ("data", Some(record.data.clone())),
        ("version", number(record.version)),
        ("created_at", number(record.created_at)),
        ("seen_at", number(record.seen_at)),
        ("expires_at", number(record.expires_at)),
        ("deadline", number(record.deadline)),
        ("user_agent", record.user_agent.clone()),
        ("ip", record.ip.clone()),
    ];
    let present = fields
        .into_iter()
        .filter_map(|(name, value)| Some([name.to_owned(), value?]));
    present.flatten().collect()
}

/// Returns the record of these fields; `None` if there is none or it is pending. Logs an unreadable one.
pub(super) fn record(key: &Key, fields: HashMap<String, Vec<u8>>) -> Option<Record> {
    if fields.is_empty() || fields.contains_key(PENDING) {
        return None;
    }
    let record = read(key, fields);
    if record.is_none() {
        log::warn!("the session {key:?} is ignored: its fields in Redis are not a record");
    }
    record
}

fn read(key: &Key, mut fields: HashMap<String, Vec<u8>>) -> Option<Record> {
    let mut text = |name: &str| match fields.remove(name).map(String::from_utf8) {
        None => Some(None),
        Some(Ok(text)) => Some(Some(text)),
        Some(Err(_)) => None,
    };
    let user_id = text("user_id")?;
    let user_agent = text("user_agent")?;
    let ip = text("ip")?;
    let data = text("data")??;
    let mut number = |name| text(name)??.parse().ok();
    Some(Record {
        key: key.clone(),
        user_id,
        data,
        version: number("version")?,
        created_at: number("created_at")?,
        seen_at: number("seen_at")?,
        expires_at: number("expires_at")?,
        deadline: number("deadline")?,
        user_agent,
        ip,
    })
}
