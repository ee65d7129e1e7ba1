//! Events of sessions: typed for [listeners](crate::Sessions::on_event) in code, and as one line of JSON each.
//!
//! `session.events` writes the lines, which are named as in OWASP's Logging Vocabulary: see the
//! [settings](crate::guide::settings#events). With the feature `tracing`, each line is also an event of the
//! target `rocket_diesel_session::events`, for the subscribers of the crate `tracing`. Spans of the target
//! `rocket_diesel_session::spans` show how long loads, saves and calls of the store take.

mod event;
mod line;
mod listener;
mod output;
mod queue;
mod streams;
#[cfg(feature = "tracing")]
mod trace;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::SecondsFormat;
use hmac::Mac;
use serde_json::{Value, json};

pub use self::event::{EndReason, Event};
use self::line::{level, line};
pub(crate) use self::listener::Listen;
use self::listener::{Listener, Noticed};
use self::output::{out, writer};
use self::queue::{EventQueue, LONGEST};
pub use self::streams::StreamEnd;
use self::streams::Streams;
use crate::clock::Clock;
use crate::error::Error;
use crate::metrics;
use crate::request::client::Client;
use crate::token::{Key, Token, hex, mac};

/// The output of events, `session.events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(
    rename_all = "lowercase",
    expecting = "\"off\", \"stdout\" or \"stderr\""
)]
pub(crate) enum Sink {
    Off,
    Stdout,
    Stderr,
}

/// The key of the sessions' pseudonyms in events. Without it they cannot be computed from the table.
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct EventsKey(String);

impl EventsKey {
    /// Returns the number of characters.
    pub(crate) fn length(&self) -> usize {
        self.0.chars().count()
    }
}

impl fmt::Debug for EventsKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EventsKey(..)")
    }
}

pub(crate) struct Events {
    out: Option<EventQueue<String>>,
    key: EventsKey,
    clock: Arc<Clock>,
    anonymous: Mutex<Anonymous>,
    listeners: Vec<Listener>,
    noticed: Mutex<Noticed>,
    pub(crate) streams: Streams,
    /// `true` while the server runs.
    serving: AtomicBool,
}

/// The session, user and client of an event.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) key: Option<&'a Key>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) client: Option<&'a Client>,
}

/// The events that anonymous clients caused in this second.
#[derive(Default)]
struct Anonymous {
    second: i64,
    events: u32,
    omitted: u64,
}

/// The largest number of events that anonymous clients can cause in a second.
const LIMIT: u32 = 100;

impl Anonymous {
    /// Counts an event. Returns how many were omitted before it, or `None` if it is to be omitted.
    fn count(&mut self, second: i64) -> Option<u64> {
        if self.second != second {
            (self.second, self.events) = (second, 0);
        }
        if self.events == LIMIT {
            self.omitted += 1;
            return None;
        }
        self.events += 1;
        Some(std::mem::take(&mut self.omitted))
    }
}

impl Events {
    /// Opens the output. Draws a key if `key` is `None`.
    pub(crate) fn open(
        sink: Sink,
        key: Option<EventsKey>,
        clock: Arc<Clock>,
    ) -> Result<Self, Error> {
        let cannot =
            |cause| Error::configuration("session.events has nowhere to go").with_source(cause);
        let drawn = || Token::generate().map(|token| EventsKey(token.key().as_str().to_owned()));
        Ok(Self {
            out: out(sink)
                .and_then(|out| out.map(writer).transpose())
                .map_err(cannot)?,
            key: key.map_or_else(drawn, Ok)?,
            clock,
            anonymous: Mutex::default(),
            listeners: Vec::new(),
            noticed: Mutex::default(),
            streams: Streams::default(),
            serving: AtomicBool::default(),
        })
    }

    /// Emits that the server listens.
    pub(crate) fn emit_startup(&self) {
        self.serving.store(true, Ordering::Relaxed);
        self.emit("sys_startup", About::default(), &Value::Null);
    }

    /// Emits once that the server stops.
    pub(crate) fn emit_shutdown(&self) {
        if self.serving.swap(false, Ordering::Relaxed) {
            self.emit("sys_shutdown", About::default(), &Value::Null);
        }
    }

    /// Returns `true` if `session.events` names an output, or a subscriber of `tracing` wants events.
    pub(crate) fn are_on(&self) -> bool {
        #[cfg(feature = "tracing")]
        if trace::is_on() {
            return true;
        }
        self.out.is_some()
    }

    /// Returns the pseudonym of a session in events, which reveals nothing of its key.
    pub(crate) fn name(&self, key: &Key) -> String {
        let code = mac(&self.key.0, key.as_str()).finalize().into_bytes();
        hex(&code[..8])
    }

    /// Writes one line. The members of `details` are added to it, and take the place of those that
    /// have the same name.
    ///
    /// Anonymous clients can cause 100 lines per second; the next one says how many were `omitted`.
    /// Lines that are not read in time are `dropped`, and counted likewise.
    pub(crate) fn emit(&self, event: &str, about: About<'_>, details: &Value) {
        if !self.are_on() {
            return;
        }
        let now = self.clock.now();
        let omitted = match about.is_anonymous() {
            true => match self.anonymous().count(now.timestamp()) {
                Some(omitted) => omitted,
                None => return metrics::events("limited", 1),
            },
            false => 0,
        };
        #[cfg(feature = "tracing")]
        if trace::is_on() {
            trace::emit(event, about.key.map(|key| self.name(key)), about, details);
        }
        let Some(out) = &self.out else {
            return;
        };
        let at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        let count = |count: u64| (count > 0).then(|| json!(count));
        let text = |text: Option<String>| text.map(Value::from);
        let client = about.client;
        let line = line(
            [
                ("at", text(Some(at))),
                ("event", text(Some(event.to_owned()))),
                ("level", text(Some(level(event).to_owned()))),
                ("session", text(about.key.map(|key| self.name(key)))),
                ("user", text(about.user_id.map(str::to_owned))),
                (
                    "address",
                    text(client.and_then(|it| it.shown_address.clone())),
                ),
                ("agent", text(client.and_then(|it| it.user_agent.clone()))),
                ("route", text(client.and_then(|it| it.route.clone()))),
                ("omitted", count(omitted)),
                ("dropped", count(out.take_dropped(LONGEST))),
            ],
            details,
        );
        if out.push(line) > 0 {
            metrics::events("dropped", 1);
        }
    }

    fn anonymous(&self) -> MutexGuard<'_, Anonymous> {
        self.anonymous
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl About<'_> {
    fn is_anonymous(&self) -> bool {
        self.client.is_some() && self.user_id.is_none()
    }
}

/// Emits the shutdown, since Rocket 0.5.2 skips the shutdown fairings if its listener learns of the
/// shutdown first (`server.rs`, the outer `select!`).
impl Drop for Events {
    fn drop(&mut self) {
        self.emit_shutdown();
    }
}

#[cfg(test)]
mod tests;
