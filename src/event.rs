//! Events: what happened to sessions and users, for those who watch over an application, in the words
//! of OWASP's Logging Vocabulary.

mod line;

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::SecondsFormat;
use hmac::Mac;
use serde_json::{Value, json};

use self::line::{level, line};
use crate::client::Client;
use crate::clock::Clock;
use crate::error::Error;
use crate::signature::mac;
use crate::token::{Key, Token};

/// Where events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sink {
    Off,
    Stdout,
    Stderr,
}

/// What keys the names of sessions in events, so that nobody can compute them from the table.
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct EventsKey(String);

impl EventsKey {
    /// In characters.
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
    out: Option<Mutex<Box<dyn Write + Send>>>,
    key: EventsKey,
    clock: Clock,
    strangers: Mutex<Strangers>,
    /// Whether a server has begun and not ended.
    serving: AtomicBool,
}

/// Whom and what an event is about.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) key: Option<&'a Key>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) client: Option<&'a Client>,
}

/// How many lines strangers have caused in this second, and how many were left out.
#[derive(Default)]
struct Strangers {
    second: i64,
    told: u32,
    omitted: u64,
}

/// So many events of strangers are told in a second.
const PATIENCE: u32 = 100;

impl Events {
    /// Without a key, one is drawn.
    pub(crate) fn open(sink: Sink, key: Option<EventsKey>, clock: Clock) -> Result<Self, Error> {
        let cannot =
            |cause| Error::configuration("session.events has nowhere to go").because(cause);
        let drawn = || Token::generate().map(|token| EventsKey(token.key().as_str().to_owned()));
        Ok(Self {
            out: out(sink).map_err(cannot)?.map(Mutex::new),
            key: key.map_or_else(drawn, Ok)?,
            clock,
            strangers: Mutex::default(),
            serving: AtomicBool::default(),
        })
    }

    /// Tells that the server listens.
    pub(crate) fn begin(&self) {
        self.serving.store(true, Ordering::Relaxed);
        self.tell("sys_startup", About::default(), &Value::Null);
    }

    /// Tells, once, that the server was told to stop.
    pub(crate) fn end(&self) {
        if self.serving.swap(false, Ordering::Relaxed) {
            self.tell("sys_shutdown", About::default(), &Value::Null);
        }
    }

    /// Whether anybody listens.
    pub(crate) fn are_told(&self) -> bool {
        self.out.is_some()
    }

    /// What a session is called in events: its own name all along, from which nothing else follows.
    pub(crate) fn name(&self, key: &Key) -> String {
        let code = mac(&self.key.0, key.as_str()).finalize().into_bytes();
        code[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Writes one line. The members of `details` are added to it, and take the place of those that
    /// have the same name.
    pub(crate) fn tell(&self, event: &str, about: About<'_>, details: &Value) {
        let Some(out) = &self.out else {
            return;
        };
        let at = (self.clock)().to_rfc3339_opts(SecondsFormat::Millis, true);
        let client = about.client;
        let text = line(
            [
                ("at", Some(at)),
                ("event", Some(event.to_owned())),
                ("level", Some(level(event).to_owned())),
                ("session", about.key.map(|key| self.name(key))),
                ("user", about.user_id.map(str::to_owned)),
                ("address", client.and_then(|it| it.shown_address.clone())),
                ("agent", client.and_then(|it| it.user_agent.clone())),
                ("route", client.and_then(|it| it.route.clone())),
            ],
            details,
        );
        let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
        // That nobody reads them any more is no reason to fail a request.
        let _ = out.write_all(text.as_bytes());
    }

    /// As [`tell`](Self::tell), of what anybody can cause as often as they like: only so often in a
    /// second, and the next line says how many were omitted.
    pub(crate) fn tell_of_stranger(&self, event: &str, about: About<'_>) {
        let now = (self.clock)().timestamp();
        let omitted = {
            let mut strangers = self
                .strangers
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if strangers.second != now {
                (strangers.second, strangers.told) = (now, 0);
            }
            if strangers.told == PATIENCE {
                strangers.omitted += 1;
                return;
            }
            strangers.told += 1;
            std::mem::take(&mut strangers.omitted)
        };
        let details = match omitted {
            0 => Value::Null,
            omitted => json!({ "omitted": omitted }),
        };
        self.tell(event, about, &details);
    }
}

/// Rocket 0.5.2 leaves the shutdown fairings out if its listener hears of the shutdown first
/// (`server.rs`, the outer `select!`).
impl Drop for Events {
    fn drop(&mut self) {
        self.end();
    }
}

/// A way out of its own where there is one: Rocket writes its lines in pieces, which the standard
/// library's buffer would have an event's line in between.
#[cfg(unix)]
fn out(sink: Sink) -> io::Result<Option<Box<dyn Write + Send>>> {
    use std::fs::File;
    use std::os::fd::AsFd;

    let out = match sink {
        Sink::Off => return Ok(None),
        Sink::Stdout => io::stdout().as_fd().try_clone_to_owned()?,
        Sink::Stderr => io::stderr().as_fd().try_clone_to_owned()?,
    };
    Ok(Some(Box::new(File::from(out))))
}

#[cfg(not(unix))]
fn out(sink: Sink) -> io::Result<Option<Box<dyn Write + Send>>> {
    Ok(match sink {
        Sink::Off => None,
        Sink::Stdout => Some(Box::new(io::stdout())),
        Sink::Stderr => Some(Box::new(io::stderr())),
    })
}

#[cfg(test)]
mod tests;
