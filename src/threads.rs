//! The one door from async to blocking: a few threads of our own, fed by one bounded queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use rocket::tokio::sync::oneshot;
use rocket::tokio::time::timeout;

use crate::error::Error;

type Job = Box<dyn FnOnce() + Send>;

/// The threads on which stores and Diesel's connections work.
///
/// They end when this is dropped, after the work that was accepted.
pub(crate) struct Threads {
    queue: Sender<Job>,
    deadline: Duration,
}

impl Threads {
    /// Starts `count` threads that at most `waiting` asks may wait for, each no longer than
    /// `deadline`.
    pub(crate) fn start(count: u32, waiting: usize, deadline: Duration) -> Result<Self, Error> {
        let (queue, jobs) = bounded::<Job>(waiting);
        for number in 1..=count {
            let jobs = jobs.clone();
            thread::Builder::new()
                .name(format!("session-store-{number}"))
                .spawn(move || jobs.iter().for_each(|job| job()))
                .map_err(|cause| {
                    Error::unavailable("a store thread could not be started").because(cause)
                })?;
        }
        Ok(Self { queue, deadline })
    }

    /// The longest that anybody waits for an answer.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Has `work` done on one of the threads.
    ///
    /// Fails as unavailable when the queue is full or the deadline is over, which is one for all that
    /// a request asks: what it has `waited` before counts. Work whose asker has given up before it
    /// began is not done at all.
    pub(crate) async fn ask<T, F>(&self, waited: &Waited, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        self.answer(waited, work).await.map_err(Error::of_store)
    }

    async fn answer<T, F>(&self, waited: &Waited, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = move || {
            if !answer.is_closed() {
                let panicked = |_| Err(Error::unavailable("the work on a store thread panicked"));
                let _ = answer.send(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked));
            }
        };
        self.queue.try_send(Box::new(job)).map_err(|_| {
            Error::unavailable(
                "the queue for the store is full; it is slow, or pool_size is too small",
            )
        })?;
        let left = self.deadline.saturating_sub(waited.so_far());
        match waited.during(timeout(left, answered)).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::unavailable("a store thread ended without an answer")),
            Err(_) => Err(Error::unavailable(format!(
                "the store did not answer within {:?}",
                self.deadline
            ))),
        }
    }
}

/// How long one request has waited for the store, so that its deadlines do not add up.
#[derive(Default)]
pub(crate) struct Waited(Mutex<Duration>);

impl Waited {
    pub(crate) async fn during<F: Future>(&self, wait: F) -> F::Output {
        let start = Instant::now();
        let output = wait.await;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += start.elapsed();
        output
    }

    /// For a handler that asks by itself, which may do so for hours.
    pub(crate) fn restart(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Duration::ZERO;
    }

    fn so_far(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
