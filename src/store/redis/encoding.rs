//! From a record to the fields of its hash, and back.

use std::collections::HashMap;

use crate::record::Record;
use crate::token::Key;

/// Marks a record that is not yet to be seen: its renewal is under way.
pub(super) const PENDING: &str = "pending";

/// How far Redis's clock and the application's may run apart before a record is gone that was to
/// be seen; in milliseconds. Whether it still is to be seen, the application decides, to the
/// millisecond.
const CLOCK_SKEW: i64 = 60_000;

/// Ten years: longer lifetimes overflow in Redis.
const LONGEST: i64 = 10 * 365 * 24 * 60 * 60 * 1000;

/// For how many milliseconds Redis keeps what is used at one instant and ends at another.
pub(super) fn lifetime(now: i64, end: i64) -> String {
    let rest = end.saturating_sub(now).clamp(0, LONGEST);
    (rest + CLOCK_SKEW).to_string()
}

/// Names and values in turn; those that a record does not have are left out.
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

/// `None` where there is no record, or none that is to be seen; one that is unreadable is logged.
pub(super) fn record(key: &Key, fields: HashMap<String, Vec<u8>>) -> Option<Record> {
    if fields.is_empty() || fields.contains_key(PENDING) {
        return None;
    }
    let record = read(key, fields);
    if record.is_none() {
        log::warn!("the session {key:?} is dropped, its fields in Redis are no record");
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
