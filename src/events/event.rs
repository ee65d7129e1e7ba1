//! The typed events of sessions.

use chrono::{DateTime, Utc};

use crate::token::Key;

/// The beginning, the renewal or the end of a session, for
/// [`Sessions::on_event`](crate::Sessions::on_event).
///
/// `at` is the time by the clock of the sessions, as [`LiveSessions::now`](crate::LiveSessions::now) returns
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A session was stored for the first time.
    #[non_exhaustive]
    Begun {
        /// The session's key.
        key: Key,
        /// The signed-in user; `None` for an anonymous session.
        user_id: Option<String>,
        /// When it happened.
        at: DateTime<Utc>,
    },
    /// A session got a new token, by a sign-in or by [`Session::renew`](crate::Session::renew).
    #[non_exhaustive]
    Renewed {
        /// The session's new key.
        key: Key,
        /// Its earlier key.
        before: Key,
        /// The user who is signed in now.
        user_id: Option<String>,
        /// When it happened.
        at: DateTime<Utc>,
    },
    /// A session ended.
    #[non_exhaustive]
    Ended {
        /// The session's key.
        key: Key,
        /// The user who was signed in; `None` for an anonymous session.
        user_id: Option<String>,
        /// Why it ended.
        reason: EndReason,
        /// When it happened.
        at: DateTime<Utc>,
    },
    /// [`LiveSessions::clear`](crate::LiveSessions::clear) ended all sessions of all users.
    #[non_exhaustive]
    Cleared {
        /// The number of sessions.
        count: u64,
        /// When it happened.
        at: DateTime<Utc>,
    },
}

/// The reason for the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// Its browser ended it: [`Session::log_out`](crate::Session::log_out),
    /// [`Session::destroy`](crate::Session::destroy).
    SignedOut,
    /// Another session of the user ended it, for example after a change of the password:
    /// [`Session::end_others`](crate::Session::end_others),
    /// [`Session::end_device`](crate::Session::end_device).
    OtherSession,
    /// A newer sign-in of the user ended it, because of `session.sessions_per_user`.
    Limit,
    /// The application ended it outside a request of the session:
    /// [`LiveSessions::revoke`](crate::LiveSessions::revoke),
    /// [`LiveSessions::revoke_all`](crate::LiveSessions::revoke_all).
    Revoked,
    /// It expired, and a later request came with its cookie. Expired sessions that no request asks for are
    /// deleted without an event.
    Expired,
}
