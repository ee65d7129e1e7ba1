//! The open streams of sessions, which end with them.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocket::tokio::sync::oneshot::{self, Receiver, Sender};

use super::EndReason;
use crate::token::Key;

/// The reason for the end of a stream; see [`Session::ended`](crate::Session::ended).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamEnd {
    /// The session ended in this process, or expired.
    Ended(EndReason),
    /// The session got a new token in this process. The client can connect again with its new cookie.
    Renewed,
    /// Another process or node ended the session or gave it a new token. The client can connect again: if the
    /// session goes on, it has a new cookie.
    Elsewhere,
    /// The server stops.
    Shutdown,
}

/// The streams of this process.
#[derive(Default)]
pub(crate) struct Streams(Mutex<Open>);

#[derive(Default)]
struct Open {
    /// Sessions by their keys; `None` for those that are not stored.
    sessions: HashMap<Option<Key>, OpenSession>,
    /// The server stops.
    stopped: bool,
}

/// A session with open streams.
#[derive(Default)]
struct OpenSession {
    /// When the session expires, as was last known, in Unix milliseconds.
    expires_at: i64,
    streams: Vec<Sender<StreamEnd>>,
}

impl OpenSession {
    fn end(self, reason: StreamEnd) {
        for stream in self.streams {
            // A client that has gone needs no reason.
            let _ = stream.send(reason);
        }
    }

    /// Forgets the streams whose clients have gone. Returns `false` if none is left.
    fn prune(&mut self) -> bool {
        self.streams.retain(|stream| !stream.is_closed());
        !self.streams.is_empty()
    }
}

impl Streams {
    /// Opens a stream of the session with this key and expiry, or of one that is not stored.
    pub(crate) fn open(&self, session: Option<(Key, i64)>) -> Receiver<StreamEnd> {
        let (end, ended) = oneshot::channel();
        let (key, expires_at) = session.map_or((None, 0), |(key, at)| (Some(key), at));
        let mut open = self.lock();
        if open.stopped {
            let _ = end.send(StreamEnd::Shutdown);
            return ended;
        }
        let session = open.sessions.entry(key).or_default();
        session.expires_at = session.expires_at.max(expires_at);
        session.streams.push(end);
        ended
    }

    /// Returns `true` if a session has a stream.
    pub(super) fn are_open(&self) -> bool {
        !self.lock().sessions.is_empty()
    }

    /// Ends the streams of a session.
    pub(super) fn end(&self, key: &Key, reason: StreamEnd) {
        let session = self.lock().sessions.remove(&Some(key.clone()));
        if let Some(session) = session {
            session.end(reason);
        }
    }

    /// Ends the streams of all stored sessions.
    pub(super) fn end_all(&self, reason: StreamEnd) {
        self.end_if(Option::is_some, reason);
    }

    /// Ends all streams, also those that will be opened.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.end_if(|_| true, StreamEnd::Shutdown);
    }

    /// Returns the keys of the sessions with streams, and forgets the streams whose clients have gone.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let sessions = &mut self.lock().sessions;
        sessions.retain(|_, session| session.prune());
        sessions.keys().flatten().cloned().collect()
    }

    /// Notes what the store knows of a session: when it expires, or `None` if it has no live record. Without
    /// one, its streams end.
    pub(crate) fn note(&self, key: &Key, expiry: Option<i64>, now: i64) {
        let mut open = self.lock();
        let Some(session) = open.sessions.get_mut(&Some(key.clone())) else {
            return;
        };
        match expiry {
            Some(expires_at) => session.expires_at = expires_at,
            None => {
                let has_expired = session.expires_at <= now;
                drop(open);
                self.end(
                    key,
                    match has_expired {
                        true => StreamEnd::Ended(EndReason::Expired),
                        false => StreamEnd::Elsewhere,
                    },
                );
            }
        }
    }

    fn end_if(&self, ends: impl Fn(&Option<Key>) -> bool, reason: StreamEnd) {
        let mut open = self.lock();
        let (ended, left) = mem::take(&mut open.sessions)
            .into_iter()
            .partition(|(key, _)| ends(key));
        open.sessions = left;
        drop(open);
        ended.into_values().for_each(|session| session.end(reason));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> Key {
        Key::from_stored(digit.repeat(64))
    }

    #[test]
    fn a_stream_ends_with_its_session_and_with_no_other() {
        let streams = Streams::default();
        let [mut one, mut twin] = [(); 2].map(|()| streams.open(Some((key("0"), 9))));
        let mut other = streams.open(Some((key("1"), 9)));
        streams.end(&key("2"), StreamEnd::Renewed);
        assert!(one.try_recv().is_err());
        streams.end(&key("0"), StreamEnd::Renewed);
        for stream in [&mut one, &mut twin] {
            assert_eq!(stream.try_recv().unwrap(), StreamEnd::Renewed);
        }
        assert!(other.try_recv().is_err());
        streams.end_all(StreamEnd::Ended(EndReason::Revoked));
        let revoked = StreamEnd::Ended(EndReason::Revoked);
        assert_eq!(other.try_recv().unwrap(), revoked);
        assert!(!streams.are_open());
    }

    #[test]
    fn a_session_that_the_store_does_not_have_ended_elsewhere_or_expired() {
        let streams = Streams::default();
        let open = |digit: &str| streams.open(Some((key(digit), 9)));
        let (mut elsewhere, mut used, mut expired) = (open("0"), open("1"), open("2"));
        streams.note(&key("1"), Some(20), 8);
        for digit in ["0", "1"] {
            streams.note(&key(digit), None, 8);
        }
        for digit in ["1", "2", "3"] {
            streams.note(&key(digit), None, 9);
        }
        assert_eq!(elsewhere.try_recv().unwrap(), StreamEnd::Elsewhere);
        assert_eq!(used.try_recv().unwrap(), StreamEnd::Elsewhere);
        let reason = StreamEnd::Ended(EndReason::Expired);
        assert_eq!(expired.try_recv().unwrap(), reason);
    }

    #[test]
    fn a_stream_whose_client_has_gone_is_forgotten() {
        let streams = Streams::default();
        let (one, other) = (
            streams.open(Some((key("0"), 9))),
            streams.open(Some((key("1"), 9))),
        );
        drop(one);
        assert_eq!(streams.keys(), [key("1")]);
        drop(other);
        assert_eq!(streams.keys(), []);
        assert!(!streams.are_open());
    }

    #[test]
    fn a_shutdown_ends_all_streams_and_those_to_come() {
        let streams = Streams::default();
        let before = [Some((key("0"), 9)), None].map(|session| streams.open(session));
        streams.stop();
        let after = [Some((key("0"), 9)), None].map(|session| streams.open(session));
        for mut stream in before.into_iter().chain(after) {
            assert_eq!(stream.try_recv().unwrap(), StreamEnd::Shutdown);
        }
    }
}
