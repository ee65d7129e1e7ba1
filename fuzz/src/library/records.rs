//! Rows as a sessions table can hold them.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Map, Value, from_str};

use super::express::of_express;
use crate::config::Config;
use crate::error::ErrorKind;
use crate::express::EXPRESS;
use crate::express::reserved::is_reserved;
use crate::record::Record;
use crate::state::{Contents, Limits, Schema, State, Stored, Verb};
use crate::token::Key;

pub(super) const NOW: i64 = 1_790_000_000_000;
const HOUR: i64 = 60 * 60 * 1000;
const YEAR: i64 = 365 * 24 * HOUR;

type Values = Map<String, Value>;

/// A row: a line of times, a line with its user, and its data.
///
/// The times are when it was made, seen, expires and must end, and its version; in the place of one
/// that is no number stands what is usual.
pub fn record(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let row = row(text);
    reads_back(&row);
    is_brought_up_to_date(&row);
    is_alive_or_nothing(&row);
    of_express(row);
}

fn row(text: &str) -> Record {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (times, user_id, data) = (line(), line(), line());
    let times: Vec<Option<i64>> = times.split(' ').map(|time| time.parse().ok()).collect();
    let time = |at: usize, usual| times.get(at).copied().flatten().unwrap_or(usual);
    Record {
        key: Key::from_stored("key".into()),
        user_id: (!user_id.is_empty()).then(|| user_id.to_owned()),
        data: data.to_owned(),
        created_at: time(0, NOW),
        seen_at: time(1, NOW),
        expires_at: time(2, NOW + HOUR),
        deadline: time(3, NOW + 24 * HOUR),
        version: time(4, 0),
        user_agent: None,
        ip: None,
    }
}

pub(super) fn limits(schema: Schema) -> Limits {
    Limits {
        max_data: usize::MAX,
        ..Config::default().limits(schema)
    }
}

fn with_data(row: &Record, data: String) -> Record {
    Record {
        data,
        ..row.clone()
    }
}

/// Data is one JSON object or no session; what was read is what is written, and is again when it is
/// read again.
fn reads_back(row: &Record) {
    let mut limits = limits(Schema::default());
    let values: Result<Values, _> = from_str(&row.data);
    let contents = Contents::decode(row, &limits.schema);
    assert_eq!(contents.is_ok(), values.is_ok());
    let (Ok(contents), Ok(values)) = (contents, values) else {
        return;
    };
    assert_eq!(contents.user_id, row.user_id);
    let written = contents.encode(&limits).unwrap();
    assert_eq!(from_str::<Values>(&written).unwrap(), values);
    let again = Contents::decode(&with_data(row, written.clone()), &limits.schema).unwrap();
    assert_eq!(again, contents);
    assert_eq!(again.encode(&limits).unwrap(), written);

    limits.max_data = written.len();
    assert!(contents.encode(&limits).is_ok());
    limits.max_data -= 1;
    let too_large = contents.encode(&limits).unwrap_err();
    assert_eq!(too_large.kind(), ErrorKind::TooLarge);
    limits.max_data += 1;
    limits.shared_with = Some(&EXPRESS);
    let taken = values.keys().any(|name| is_reserved(name));
    assert_eq!(contents.encode(&limits).is_err(), taken);
}

/// Older data goes through the application's upgrade once, which sees and changes nothing that is
/// the library's own.
fn is_brought_up_to_date(row: &Record) {
    let Ok(before) = from_str::<Values>(&row.data) else {
        return;
    };
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let schema = Schema::new(
        2,
        Arc::new(move |from: u32, data: &mut Values| {
            counted.fetch_add(1, Ordering::Relaxed);
            upgrade(from, data)
        }),
    );
    let contents = Contents::decode(row, &schema).unwrap();
    let version = before.get("@schema").and_then(Value::as_u64).unwrap_or(0);
    let older = version < 2;
    assert_eq!(calls.load(Ordering::Relaxed), u32::from(older));
    assert_eq!(contents.user_id, row.user_id);

    let limits = limits(schema);
    let written = contents.encode(&limits).unwrap();
    let after: Values = from_str(&written).unwrap();
    assert_eq!(after["@schema"], if older { 2 } else { version });
    let of = |values: &Values, own: bool| -> Values {
        let wanted = |name: &str| name.starts_with('@') == own && name != "@schema";
        let values = values.clone().into_iter();
        values.filter(|(name, _)| wanted(name)).collect()
    };
    assert_eq!(of(&after, true), of(&before, true));
    match (older, before.contains_key("refuse")) {
        (true, true) => assert!(of(&after, false).is_empty()),
        (true, false) => assert_eq!(after["from"], version),
        (false, _) => assert_eq!(of(&after, false), of(&before, false)),
    }
    let again = Contents::decode(&with_data(row, written), &limits.schema).unwrap();
    assert_eq!(again, contents);
    assert_eq!(calls.load(Ordering::Relaxed), u32::from(older));
}

fn upgrade(from: u32, data: &mut Values) -> Result<(), Box<dyn StdError + Send + Sync>> {
    assert!(from < 2 && data.keys().all(|name| !name.starts_with('@')));
    data.insert("from".into(), from.into());
    match data.contains_key("refuse") {
        true => Err("as asked".into()),
        false => Ok(()),
    }
}

/// A session that is used is within its time and whose it was; another user gets nothing of it.
fn is_alive_or_nothing(row: &Record) {
    let limits = limits(Schema::default());
    let stored = Stored {
        token: None,
        record: row.clone(),
        user: None,
    };
    let Ok(Some(mut state)) = State::loaded(stored, &limits, NOW) else {
        return;
    };
    assert!(row.expires_at > NOW && row.deadline > NOW && row.created_at <= NOW + 24 * HOUR);
    assert!(row.created_at > NOW - 20 * YEAR);
    assert_eq!(state.user_id(), row.user_id.as_deref());
    assert!((1..=20 * YEAR).contains(&state.timeouts(&limits).0));
    let verb = |state: &State| state.plan(&limits, NOW).verb;
    assert!(matches!(verb(&state), Verb::Nothing | Verb::Touch));

    if state.take_flashes(&limits).is_ok() {
        assert!(state.take_flashes(&limits).unwrap().is_empty());
    }
    let before: Values = state.typed().unwrap();
    state.log_in("eve".into(), false, &limits).unwrap();
    let hers = row.user_id.as_deref().is_none_or(|user| user == "eve");
    let kept = if hers { before } else { Values::new() };
    assert_eq!(state.typed::<Values>().unwrap(), kept);
    assert!(state.user_id() == Some("eve") && !state.remembered());
    assert_eq!(verb(&state), Verb::Renew);
    state.destroy();
    assert!(state.user_id().is_none() && verb(&state) == Verb::Delete);
}
