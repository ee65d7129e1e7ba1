//! Limits how long opening a connection takes, since a server that hangs may never answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

/// The longest wait for an attempt: libpq tries each address of a host for 2 seconds.
const LIMIT: Duration = Duration::from_secs(5);

/// A pool connects this often at once, so if more attempts hang, some were abandoned. Then an attempt
/// waits less, since the next ones wait for it when another server takes over. It waits as little where
/// the next host of a list can be tried.
const AT_ONCE: usize = 3;
const LIMIT_AFTER: Duration = Duration::from_secs(1);

/// From this many hanging attempts on, each of which keeps a thread and a socket,
const MANY: usize = 16;

/// this long passes before the next one.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct Attempts {
    /// Each attempt holds a clone.
    hanging: Arc<()>,
    last: Mutex<Option<Instant>>,
}

impl Attempts {
    /// Connects on a thread that may outlive the attempt.
    pub(super) fn bounded<T: Send + 'static>(
        &self,
        hurried: bool,
        connect: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        let hanging = Arc::strong_count(&self.hanging) - 1;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if hanging >= MANY && last.is_some_and(|last| last.elapsed() < PAUSE) {
            return Err(format!("{hanging} attempts to connect hang already"));
        }
        *last = Some(Instant::now());
        drop(last);
        let (connected, connection) = bounded(1);
        let attempt = self.hanging.clone();
        let connect = move || {
            let _ = connected.send(connect());
            drop(attempt);
        };
        let thread = thread::Builder::new().name("session-connect".to_owned());
        thread.spawn(connect).map_err(|error| error.to_string())?;
        let limit = match hanging < AT_ONCE && !hurried {
            true => LIMIT,
            false => LIMIT_AFTER,
        };
        let nothing = |_| {
            format!(
                "the server did not answer within {}",
                humantime::format_duration(limit)
            )
        };
        connection.recv_timeout(limit).map_err(nothing)
    }
}
