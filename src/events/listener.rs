//! Calls the application's listeners, each on a thread, so that none delays or fails a request.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use super::queue::{EventQueue, LONGEST};
use super::{Anonymous, EndReason, Event, Events, StreamEnd};
use crate::error::Error;
use crate::metrics;
use crate::record::Record;
use crate::token::Key;

/// A closure of [`Sessions::on_event`](crate::Sessions::on_event).
pub(crate) type Listen = Arc<dyn Fn(&Event) + Send + Sync>;

/// A listener with its thread and its queue.
pub(super) struct Listener(EventQueue<Event>);

impl Listener {
    fn start(listen: Listen) -> Result<Self, Error> {
        let take = move |event: Event| {
            if catch_unwind(AssertUnwindSafe(|| listen(&event))).is_err() {
                log::error!(
                    "a closure of Sessions::on_event panicked; it missed one event, and gets the next ones"
                );
            }
        };
        let started = EventQueue::start("session-listener", take);
        started.map(Self).map_err(|cause| {
            Error::unavailable("the thread of a closure of Sessions::on_event was not started")
                .with_source(cause)
        })
    }

    fn send(&self, event: &Event) {
        self.log_dropped(1);
        if self.0.push(event.clone()) == 1 {
            log::warn!(
                "a closure of Sessions::on_event is too slow: {LONGEST} events wait for it, and further ones are \
                 dropped; have it hand them on"
            );
        }
    }

    /// Logs the number of dropped events, if less than `longest` wait.
    fn log_dropped(&self, longest: usize) {
        match self.0.take_dropped(longest) {
            0 => {}
            count => log::warn!("{count} events of a closure of Sessions::on_event were dropped"),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.log_dropped(usize::MAX);
    }
}

/// The expired sessions that were noticed last, so that each is one event although its browser asks again.
#[derive(Default)]
pub(super) struct Noticed {
    keys: VecDeque<Key>,
    /// The cookies of this second that opened no session.
    lookups: Anonymous,
}

impl Noticed {
    /// The number of keys.
    const MOST: usize = 256;

    /// Adds a key, and returns `false` if it is there already.
    fn add(&mut self, key: &Key) -> bool {
        if self.keys.contains(key) {
            return false;
        }
        if self.keys.len() == Self::MOST {
            self.keys.pop_front();
        }
        self.keys.push_back(key.clone());
        true
    }
}

impl Events {
    /// Starts a thread for each listener.
    pub(crate) fn with_listeners(mut self, listeners: &[Listen]) -> Result<Self, Error> {
        let started = listeners.iter().cloned().map(Listener::start);
        self.listeners = started.collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Returns `true` if there is a listener.
    pub(crate) fn have_listeners(&self) -> bool {
        !self.listeners.is_empty()
    }

    /// Sends that a session was stored for the first time.
    pub(crate) fn begun(&self, record: &Record) {
        metrics::begun();
        self.send(|| Event::Begun {
            key: record.key.clone(),
            user_id: record.user_id.clone(),
            at: self.clock.now(),
        });
    }

    /// Returns `true` if there is a listener or an open stream, for which the records of all sessions that end
    /// are listed.
    pub(crate) fn want_records(&self) -> bool {
        self.have_listeners() || self.streams.are_open()
    }

    /// Sends that a session has a new token, and ends its streams.
    pub(crate) fn renewed(&self, record: &Record, before: &Key) {
        metrics::renewed();
        self.streams.end(before, StreamEnd::Renewed);
        self.send(|| Event::Renewed {
            key: record.key.clone(),
            before: before.clone(),
            user_id: record.user_id.clone(),
            at: self.clock.now(),
        });
    }

    /// Sends that a session ended, and ends its streams.
    pub(crate) fn ended(&self, key: &Key, user_id: Option<&str>, reason: EndReason) {
        self.streams.end(key, StreamEnd::Ended(reason));
        self.send(|| Event::Ended {
            key: key.clone(),
            user_id: user_id.map(str::to_owned),
            reason,
            at: self.clock.now(),
        });
    }

    /// Sends that several sessions ended.
    pub(crate) fn all_ended(&self, records: &[Record], reason: EndReason) {
        for record in records {
            self.ended(&record.key, record.user_id.as_deref(), reason);
        }
    }

    /// Sends that all sessions ended, and ends their streams.
    pub(crate) fn cleared(&self, count: u64) {
        self.streams.end_all(StreamEnd::Ended(EndReason::Revoked));
        let at = self.clock.now();
        self.send(|| Event::Cleared { count, at });
    }

    /// Returns `true` if the session of an unknown cookie may be looked up for the listeners. Anyone can send
    /// such cookies, so 100 per second may.
    pub(crate) fn may_look_up(&self) -> bool {
        let second = self.clock.now().timestamp();
        self.have_listeners() && self.noticed(|it| it.lookups.count(second)).is_some()
    }

    /// Sends that a session has expired, unless that was sent a moment ago.
    pub(crate) fn expired(&self, record: &Record) {
        if self.noticed(|it| it.add(&record.key)) {
            self.ended(&record.key, record.user_id.as_deref(), EndReason::Expired);
        }
    }

    fn noticed<T>(&self, work: impl FnOnce(&mut Noticed) -> T) -> T {
        work(&mut self.noticed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn send(&self, event: impl FnOnce() -> Event) {
        if self.have_listeners() {
            let event = event();
            self.listeners.iter().for_each(|it| it.send(&event));
        }
    }
}
