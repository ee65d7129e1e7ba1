//! A session as its user sees it in the list of their devices.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::engine::context::Context;
use crate::record::Record;
use crate::token::Key;

/// One live session, as its user or an administrator sees it.
///
/// Serialises with the short form of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionInfo {
    /// The session's key; [`Key::short`] is for people.
    #[serde(serialize_with = "short")]
    pub key: Key,
    /// Whose session it is; `None` before sign-in.
    pub user_id: Option<String>,
    /// When its user signed in, or the session began if nobody did.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, exact to one touch interval.
    pub seen_at: DateTime<Utc>,
    /// When it ends unless it is used before.
    pub expires_at: DateTime<Utc>,
    /// The browser's `User-Agent`, at most 255 characters of it.
    pub user_agent: Option<String>,
    /// The browser's address, where the configuration allows it to be kept.
    pub ip: Option<String>,
    /// Whether it is the session that asks.
    pub current: bool,
}

impl SessionInfo {
    pub(crate) fn of(record: Record, context: &Context, current: Option<&Key>) -> Self {
        Self {
            current: current == Some(&record.key),
            key: record.key,
            user_id: record.user_id,
            signed_in_at: context.time(record.created_at),
            seen_at: context.time(record.seen_at),
            expires_at: context.time(record.expires_at),
            user_agent: record.user_agent,
            ip: record.ip,
        }
    }
}

fn short<S: Serializer>(key: &Key, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key.short())
}
