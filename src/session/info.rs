//! A session as its user sees it in the list of their devices.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::engine::context::Context;
use crate::record::Record;
use crate::token::Key;

/// One live session, as its user or an administrator sees it.
///
/// Serialises `key` as its first 8 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The session's key. Show [`Key::short`] to people.
    #[serde(serialize_with = "short")]
    pub key: Key,
    /// The user's id; `None` before the sign-in.
    pub user_id: Option<String>,
    /// When the user signed in; before a sign-in, when the session began.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, exact to one touch interval.
    pub seen_at: DateTime<Utc>,
    /// When it expires if it is not used again.
    pub expires_at: DateTime<Utc>,
    /// The browser's `User-Agent`, at most 255 characters of it.
    pub user_agent: Option<String>,
    /// The client's address, if `session.client_address` allows storing it.
    pub ip: Option<String>,
    /// `true` for the session of the current request.
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
