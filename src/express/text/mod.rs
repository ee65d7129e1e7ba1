//! The session text of Express: the values, the user among them, and the cookie's settings.
//!
//! A record keeps the cookie's settings as a reserved value.

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::UserPath;
use super::reserved::is_reserved;
use crate::error::Error;
use crate::record::Record;
use crate::state::reserved::{COOKIE, IDLE_TIMEOUT, REMEMBERED};
use crate::state::{Limits, max_age};

/// The value for fields of a record that Express does not have; Node keeps it.
const OWN: &str = "@session";

/// Stands for the expiry until that is known.
const ANY: &str = "";

/// The year 2100; a later expiry is an error.
const ABSURD: i64 = 4_102_444_800_000;

/// The largest whole number of JavaScript.
pub(super) const LARGEST_NUMBER: u64 = (1 << 53) - 1;

/// The configuration of sessions that are shared with Express.
#[derive(Debug)]
pub(crate) struct Format {
    pub(crate) limits: Limits,
    /// The cookie's settings, as express-session writes them into a new session.
    pub(crate) cookie: Map<String, Value>,
    pub(crate) user_path: UserPath,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct ReservedValues {
    created_at: i64,
    deadline: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
}

impl Format {
    /// Returns the record of a session whose data is a text of Express.
    ///
    /// Logs an unusable text and returns `None`.
    pub(crate) fn read(&self, text: Record, now: i64) -> Option<Record> {
        let key = text.key.clone();
        self.try_read(text, now)
            .inspect_err(|why| log::warn!("the session {key:?} is dropped: {why}"))
            .ok()
    }

    fn try_read(&self, text: Record, now: i64) -> Result<Record, String> {
        let mut values =
            parse(&text.data).map_err(|cause| format!("its data is not a JSON object: {cause}"))?;
        let Some(Value::Object(cookie)) = values.remove("cookie") else {
            return Err("it has no cookie object".into());
        };
        if text.expires_at > ABSURD || !is_expiry(cookie.get("expires")) {
            return Err("its expiry is absurd".into());
        }
        let own = values.remove(OWN).unwrap_or_default();
        let own: ReservedValues = serde_json::from_value(own).unwrap_or_default();
        values.retain(|name, _| !is_reserved(name));
        let user_id = self.user_path.user(&values);
        let idle = max_age(&cookie).unwrap_or(self.limits.idle);
        values.insert(COOKIE.into(), Value::Object(cookie));
        let absolute = self.limits.absolute.max(idle);
        Ok(Record {
            user_id,
            data: Value::Object(values).to_string(),
            created_at: own.created_at,
            seen_at: text.expires_at.saturating_sub(idle),
            deadline: own.deadline.unwrap_or(now.saturating_add(absolute)),
            user_agent: own.user_agent,
            ip: own.ip,
            ..text
        })
    }

    /// Returns the record with a text of Express as its data.
    pub(crate) fn write(&self, record: &Record) -> Result<Record, Error> {
        let mut values: Map<String, Value> =
            serde_json::from_str(&record.data).map_err(|cause| {
                Error::unavailable("the session's data is not valid JSON").with_source(cause)
            })?;
        // Express keeps the idle timeout of a session in its cookie's settings.
        let idle_timeout = values.remove(IDLE_TIMEOUT);
        let cookie = values.remove(COOKIE);
        let cookie = cookie.and_then(|cookie| cookie.as_object().cloned());
        let mut cookie = cookie.unwrap_or_else(|| self.new_cookie(&values));
        if let Some(idle_timeout) = idle_timeout {
            cookie.insert("originalMaxAge".into(), idle_timeout);
            cookie.insert("expires".into(), ANY.into());
        }
        if cookie
            .get("expires")
            .is_some_and(|it| it.is_string() || it.is_number())
        {
            cookie.insert("expires".into(), iso(record.expires_at).into());
        }
        values.insert("cookie".into(), Value::Object(cookie));
        self.user_path
            .set_user(&mut values, record.user_id.as_deref());
        let own = ReservedValues {
            created_at: record.created_at,
            deadline: Some(record.deadline),
            user_agent: record.user_agent.clone(),
            ip: record.ip.clone(),
        };
        values.insert(OWN.into(), json!(own));
        Ok(Record {
            data: Value::Object(values).to_string(),
            ..record.clone()
        })
    }

    fn new_cookie(&self, values: &Map<String, Value>) -> Map<String, Value> {
        let remembered = values.get(REMEMBERED) == Some(&Value::Bool(true));
        let max_age = match (remembered, self.limits.persistent) {
            (true, _) => Some(self.limits.remember),
            (false, true) => Some(self.limits.idle),
            (false, false) => None,
        };
        let mut cookie = self.cookie.clone();
        cookie.insert("originalMaxAge".into(), max_age.into());
        cookie.insert("expires".into(), max_age.map(|_| ANY).into());
        cookie
    }
}

/// Parses a text of Express. JavaScript can cut a character in two and write one half, such as `\ud83d`,
/// which is not Unicode; it becomes U+FFFD, as in the output of Node.
pub(super) fn parse(text: &str) -> serde_json::Result<Map<String, Value>> {
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_halves(text)))
}

fn without_halves(text: &str) -> String {
    let (mut whole, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('\\') {
        let next = rest.get(at + 6..).and_then(unit);
        let escape = match (unit(&rest[at..]), next) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => &rest[at..at + 12],
            (Some(0xD800..=0xDFFF), _) => "\\ufffd",
            _ => rest.get(at..at + 2).unwrap_or("\\"),
        };
        whole.push_str(&rest[..at]);
        whole.push_str(escape);
        rest = &rest[at + escape.len()..];
    }
    whole + rest
}

/// Returns the UTF-16 unit of an escape such as `\ud83d`.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// Returns `true` if Node can read the expiry.
fn is_expiry(expires: Option<&Value>) -> bool {
    match expires {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::Number(millis)) => millis.as_f64().is_some_and(|it| it.abs() <= ABSURD as f64),
        Some(Value::String(text)) => {
            DateTime::parse_from_rfc3339(text).is_ok_and(|it| it.timestamp_millis() <= ABSURD)
        }
        _ => false,
    }
}

fn iso(millis: i64) -> String {
    let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests;
