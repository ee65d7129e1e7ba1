//! Deletes expired sessions in the background, in small batches. Correctness does not depend on it.
//!
//! It has a thread, and in an SQL database a maintenance connection, so it neither delays requests nor
//! waits for them.

mod pace;
mod traffic;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use humantime::format_duration;
use rocket::tokio::sync::oneshot;
use rocket::tokio::time::timeout;

pub(crate) use self::pace::Pace;
use self::traffic::Traffic;
use crate::clock::Clock;
use crate::error::Error;
use crate::metrics;
use crate::store::Store;

/// How often the log says how many sessions were deleted.
const LOG_EVERY: Duration = Duration::from_secs(15 * 60);

/// Deletes expired sessions, batch by batch.
pub(crate) struct Cleanup {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) interval: Duration,
    /// The largest number of sessions that one statement deletes.
    pub(crate) batch: u32,
    /// The number of asks of requests so far.
    pub(crate) asked: Arc<AtomicU64>,
}

/// The thread of the cleanup. Dropping this ends it after the current batch.
pub(crate) struct CleanupThread(Mutex<Option<Running>>);

struct Running {
    /// Sends nothing: dropping it is the signal.
    stop: Sender<Infallible>,
    ended: oneshot::Receiver<Infallible>,
}

impl CleanupThread {
    /// Starts the thread if there is a cleanup.
    pub(crate) fn start(cleanup: Option<Cleanup>) -> Result<Self, Error> {
        let Some(cleanup) = cleanup else {
            return Ok(Self(Mutex::default()));
        };
        let (stop, stopped) = bounded(0);
        let (end, ended) = oneshot::channel();
        let run = move || {
            cleanup.run(&stopped);
            drop(end);
        };
        let name = "session-cleanup".to_owned();
        let thread = thread::Builder::new().name(name).spawn(run);
        thread.map_err(|cause| {
            Error::unavailable("the cleanup thread was not started").with_source(cause)
        })?;
        Ok(Self(Mutex::new(Some(Running { stop, ended }))))
    }

    /// Ends the thread. Waits for the current batch, but no longer than `limit`.
    pub(crate) async fn stop(&self, limit: Duration) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { stop, ended }) = running else {
            return;
        };
        drop(stop);
        if timeout(limit, ended).await.is_err() {
            let limit = format_duration(limit);
            log::warn!("the cleanup's last batch has not ended within {limit}");
        }
    }
}

impl Cleanup {
    fn run(&self, stopped: &Receiver<Infallible>) {
        let mut pace = Pace::new(self.batch, self.interval);
        let mut traffic = Traffic::new(self.asked.clone(), Instant::now());
        let mut rest = self.interval;
        let (mut count, mut logged_at) = (0, Instant::now());
        while pass(jittered(rest), stopped) {
            let start = Instant::now();
            let outcome = self.batch();
            if let Err(error) = &outcome {
                let next = format_duration(self.interval);
                log::warn!("expired sessions were not deleted, next try in {next}: {error}");
            }
            metrics::cleanup_batches(if outcome.is_ok() { "done" } else { "failed" }, 1);
            let deleted = outcome.unwrap_or_default();
            metrics::ended("expired", deleted);
            rest = pace.after(deleted, start.elapsed(), traffic.is_high(Instant::now()));
            if deleted >= u64::from(self.batch) && pace.is_to_look(start) {
                pace.look(start, self.first_expiry());
            }
            count += deleted;
            if count > 0 && logged_at.elapsed() >= LOG_EVERY {
                log::info!("{count} expired sessions were deleted");
                (count, logged_at) = (0, Instant::now());
            }
        }
    }

    /// Returns `None` after an error, too: the next batch meets it again and logs it.
    fn first_expiry(&self) -> Option<i64> {
        let look = AssertUnwindSafe(|| self.store.first_expiry());
        catch_unwind(look).ok()?.ok()?
    }

    fn batch(&self) -> Result<u64, Error> {
        let now = self.clock.past_everywhere();
        let cleanup = AssertUnwindSafe(|| self.store.delete_expired(now, self.batch));
        catch_unwind(cleanup).unwrap_or_else(|_| Err(Error::unavailable("the store panicked")))
    }
}

/// Waits. Returns `false` if the cleanup is to stop.
fn pass(time: Duration, stopped: &Receiver<Infallible>) -> bool {
    stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

/// Returns about this time, so that the nodes of one application do not all clean up at the same instant.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.75 + 0.5 * fastrand::f64())
}

#[cfg(test)]
mod tests;
