//! Runs blocking work for async code, on a few threads with one bounded queue.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use humantime::format_duration;
use rocket::tokio::sync::oneshot;
use rocket::tokio::time::timeout;

use crate::error::Error;
use crate::metrics;
use crate::store::pool::Outdated;
use crate::store::span::Span;

pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The threads that run the store and Diesel's connections.
///
/// Dropping this ends them after the accepted work.
pub(crate) struct Threads {
    queue: Sender<Job>,
    jobs: Receiver<Job>,
    deadline: Duration,
    workers: Mutex<WorkerSet>,
    /// Work that takes longer hangs.
    patience: Duration,
    most_hung: usize,
    outdated: Outdated,
    asked: Arc<AtomicU64>,
}

struct WorkerSet {
    serving: Vec<Worker>,
    /// Replaced threads, until they end.
    hung: Vec<Worker>,
}

type Worker = Arc<Mutex<WorkerState>>;

/// The current work of a thread.
enum WorkerState {
    Waits,
    Works(Instant),
    /// It works, and ends after that.
    Replaced,
}

impl Threads {
    /// Starts `count` threads, with a queue of `waiting` jobs and a `deadline` for each answer.
    pub(crate) fn start(count: u32, waiting: usize, deadline: Duration) -> Result<Self, Error> {
        let (queue, jobs) = bounded::<Job>(waiting);
        let serving = (0..count).map(|_| spawn(jobs.clone()));
        let workers = WorkerSet {
            serving: serving.collect::<Result<_, _>>()?,
            hung: Vec::new(),
        };
        Ok(Self {
            queue,
            jobs,
            deadline,
            workers: Mutex::new(workers),
            // The application's own work runs here, too.
            patience: 2 * deadline,
            most_hung: count as usize,
            outdated: Outdated::default(),
            asked: Arc::default(),
        })
    }

    /// Starts threads beside these, with a queue of their own and the same deadline, for work that is worth
    /// nothing after it. As many of them may hang as of these.
    pub(crate) fn beside(&self, count: u32, waiting: usize) -> Result<Self, Error> {
        Ok(Self {
            patience: self.deadline,
            most_hung: self.most_hung,
            outdated: self.outdated.clone(),
            asked: self.asked.clone(),
            ..Self::start(count, waiting, self.deadline)?
        })
    }

    /// Marks the connections that exist when a thread hangs.
    #[cfg(any(feature = "sqlite", feature = "mysql", feature = "postgres"))]
    pub(crate) fn outdated(&self) -> &Outdated {
        &self.outdated
    }

    /// Returns the number of asks so far, also of the threads beside these.
    pub(crate) fn asked(&self) -> Arc<AtomicU64> {
        self.asked.clone()
    }

    /// Replaces the threads that hang, so that one server that hangs does not block the requests to others.
    /// No more than `most_hung` hang at once.
    pub(super) fn replace_hung(&self) {
        // Another request does the same at this moment.
        let Ok(mut workers) = self.workers.try_lock() else {
            return;
        };
        let WorkerSet { serving, hung } = &mut *workers;
        hung.retain(|worker| Arc::strong_count(worker) > 1);
        let patience = self.patience;
        for worker in serving {
            let mut state = lock(worker);
            let hangs = matches!(*state, WorkerState::Works(since) if since.elapsed() > patience);
            if !hangs || hung.len() == self.most_hung {
                continue;
            }
            let new = match spawn(self.jobs.clone()) {
                Ok(new) => new,
                Err(error) => return log::warn!("{error}"),
            };
            *state = WorkerState::Replaced;
            drop(state);
            hung.push(mem::replace(worker, new));
            self.outdated.hang();
            metrics::thread_replaced();
            let patience = format_duration(patience);
            log::warn!(
                "a store thread has worked for more than {patience} and is replaced: the database hangs, or \
                 the application does work there that takes longer than its timeout"
            );
        }
    }

    /// Returns the longest time that a request waits for an answer.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Runs `work` on one of the threads.
    ///
    /// Fails as unavailable if the queue is full or the deadline has passed. All jobs of a request share
    /// one deadline, so the time that it has `waited` before counts. Work that has not begun when its
    /// request stops waiting does not run.
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
        let span = Span::current();
        let job = move || {
            if !answer.is_closed() {
                let _ = answer.send(caught(|| span.around(work)).unwrap_or_else(Err));
            }
        };
        if !self.submit(Box::new(job)) {
            return Err(full());
        }
        self.wait(waited, answered).await
    }

    /// Queues a job. Returns `false` if the queue is full.
    pub(super) fn submit(&self, job: Job) -> bool {
        metrics::queued(1);
        let queued = self.queue.try_send(job).is_ok();
        if !queued {
            metrics::queued(-1);
        }
        if !self.queue.is_empty() {
            self.replace_hung();
        }
        queued
    }

    /// Waits for the answer of a job, no longer than the request's deadline.
    pub(super) async fn wait<T>(
        &self,
        waited: &Waited,
        answered: oneshot::Receiver<Result<T, Error>>,
    ) -> Result<T, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let left = self.deadline.saturating_sub(waited.so_far());
        match waited.during(timeout(left, answered)).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::unavailable("a store thread ended without an answer")),
            Err(_) => {
                metrics::timed_out();
                let deadline = format_duration(self.deadline);
                let message = format!("the store did not answer within {deadline}");
                Err(Error::unavailable(message))
            }
        }
    }
}

/// Runs `work`, and returns an error if it panics.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| Error::unavailable("the work on a store thread panicked"))
}

pub(super) fn full() -> Error {
    metrics::refused();
    Error::unavailable(
        "the queue for the store is full: the store is slow, or pool_size is too small",
    )
}

fn spawn(jobs: Receiver<Job>) -> Result<Worker, Error> {
    let worker: Worker = Arc::new(Mutex::new(WorkerState::Waits));
    let state = worker.clone();
    let work = move || {
        for job in jobs {
            metrics::queued(-1);
            *lock(&state) = WorkerState::Works(Instant::now());
            job();
            if matches!(
                mem::replace(&mut *lock(&state), WorkerState::Waits),
                WorkerState::Replaced
            ) {
                return;
            }
        }
    };
    let thread = thread::Builder::new().name("session-store".to_owned());
    thread.spawn(work).map_err(|cause| {
        Error::unavailable("a store thread could not be started").with_source(cause)
    })?;
    Ok(worker)
}

fn lock(worker: &Worker) -> MutexGuard<'_, WorkerState> {
    worker.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time that one request has waited for the store, so that its deadlines do not add up.
#[derive(Default)]
pub(crate) struct Waited(Mutex<Duration>);

impl Waited {
    pub(crate) async fn during<F: Future>(&self, wait: F) -> F::Output {
        let start = Instant::now();
        let output = wait.await;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += start.elapsed();
        output
    }

    /// Resets the time, for a handler that calls the store by itself, perhaps for hours.
    pub(crate) fn restart(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Duration::ZERO;
    }

    fn so_far(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
