//! When the cleanup works, when it rests and how it ends; its store does nothing but take its time.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::unbounded;
use rocket::tokio::runtime::Runtime;

use super::*;
use crate::record::Record;
use crate::store::{Inserted, Updated};
use crate::token::Key;

const MOMENT: Duration = Duration::from_millis(1);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Answers each batch with what the closure makes of its number, counted from 1.
struct Deleted<F>(AtomicU64, F);

impl<F: Fn(u64) -> Result<u64, Error> + Send + Sync + 'static> Store for Deleted<F> {
    fn delete_expired(&self, _: i64, _: u32) -> Result<u64, Error> {
        (self.1)(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
    fn load(&self, _: &Key, _: i64) -> Result<Option<Record>, Error> {
        unreachable!()
    }
    fn insert(&self, _: &Record) -> Result<Inserted, Error> {
        unreachable!()
    }
    fn update(&self, _: &Key, _: i64, _: &Record) -> Result<Updated, Error> {
        unreachable!()
    }
    fn touch(&self, _: &Key, _: i64, _: i64) -> Result<(), Error> {
        unreachable!()
    }
    fn delete(&self, _: &Key) -> Result<bool, Error> {
        unreachable!()
    }
    fn list(&self, _: &str, _: i64) -> Result<Vec<Record>, Error> {
        unreachable!()
    }
    fn all(&self, _: i64, _: Option<&Key>, _: u32) -> Result<Vec<Record>, Error> {
        unreachable!()
    }
    fn delete_all(&self, _: &str, _: Option<&Key>) -> Result<u64, Error> {
        unreachable!()
    }
    fn count(&self, _: i64) -> Result<u64, Error> {
        unreachable!()
    }
    fn clear(&self) -> Result<u64, Error> {
        unreachable!()
    }
}

fn cleanup(
    interval: Duration,
    answer: impl Fn(u64) -> Result<u64, Error> + Send + Sync + 'static,
) -> CleanupThread {
    let cleanup = Cleanup {
        store: Arc::new(Deleted(AtomicU64::default(), answer)),
        clock: Arc::new(Clock::of_this_machine()),
        interval,
        batch: 10,
        asked: Arc::default(),
    };
    CleanupThread::start(Some(cleanup)).unwrap()
}

fn stop(cleanup: &CleanupThread, timeout: Duration) -> Duration {
    let start = Instant::now();
    Runtime::new().unwrap().block_on(cleanup.stop(timeout));
    start.elapsed()
}

#[test]
fn an_error_or_a_panic_in_the_middle_is_survived() {
    let (sender, receiver) = unbounded();
    let _cleanup = cleanup(MOMENT, move |number| {
        sender.send(number).unwrap();
        match number {
            2 => Err(Error::unavailable("as ordered")),
            4 => panic!("as ordered"),
            _ => Ok(10),
        }
    });
    let counted = [
        "session_cleanup_batches_total done",
        "session_cleanup_batches_total failed",
        "session_ended_total expired",
    ];
    metrics::raised(&counted, || {
        for number in 1..=6 {
            assert_eq!(receiver.recv_timeout(TIMEOUT), Ok(number));
        }
    });
}

#[test]
fn a_batch_that_others_made_small_is_not_the_last_one() {
    let (sender, receiver) = unbounded();
    let interval = TIMEOUT / 10;
    let _cleanup = cleanup(interval, move |number| {
        sender.send(Instant::now()).unwrap();
        Ok([10, 4, 10, 0][(number as usize - 1) % 4])
    });
    let times: Vec<Instant> = (0..4)
        .map(|_| receiver.recv_timeout(TIMEOUT).unwrap())
        .collect();
    let passed = times[3] - times[0];
    assert!(passed < interval / 2, "{passed:?}");
}

#[test]
fn a_long_backlog_leaves_most_of_the_time_to_requests() {
    let (sender, receiver) = unbounded();
    let _cleanup = cleanup(TIMEOUT, move |_| {
        let start = Instant::now();
        thread::sleep(2 * MOMENT);
        sender.send((start, start.elapsed())).unwrap();
        Ok(10)
    });
    let batches: Vec<_> = (0..40)
        .map(|_| receiver.recv_timeout(2 * TIMEOUT).unwrap())
        .collect();
    let busy: Duration = batches[..39].iter().map(|(_, took)| *took).sum();
    let rested = batches[39].0 - batches[0].0 - busy;
    assert!(rested > busy, "{rested:?} {busy:?}");
}

#[test]
fn it_ends_in_the_middle_of_a_rest() {
    let hour = Duration::from_secs(60 * 60);
    assert!(stop(&cleanup(hour, |_| Ok(0)), TIMEOUT) < TIMEOUT / 2);

    // With a backlog it rests for twice its time.
    let (sender, receiver) = unbounded();
    let cleanup = cleanup(MOMENT, move |number| {
        thread::sleep(TIMEOUT / 5);
        sender.send(number).unwrap();
        Ok(10)
    });
    receiver.recv_timeout(TIMEOUT).unwrap();
    assert!(stop(&cleanup, TIMEOUT) < TIMEOUT / 5, "the rest is longer");
    assert!(
        receiver.recv().is_err(),
        "that was all, and the store is gone"
    );
}

#[test]
fn the_end_waits_for_the_batch_under_way_but_not_for_ever() {
    for (timeout, waits) in [(TIMEOUT, true), (50 * MOMENT, false)] {
        let (sender, receiver) = unbounded();
        let (release, go_on) = unbounded();
        let cleanup = cleanup(MOMENT, move |number| {
            sender.send(number).unwrap();
            let _ = go_on.recv();
            Ok(10)
        });
        receiver.recv_timeout(TIMEOUT).unwrap();
        thread::scope(|scope| {
            let stopping = scope.spawn(|| stop(&cleanup, timeout));
            thread::sleep(500 * MOMENT);
            let waited = !stopping.is_finished();
            release.send(()).unwrap();
            assert_eq!(waited, waits, "{:?}", stopping.join().unwrap());
        });
    }
}

#[test]
fn nothing_runs_when_it_is_off() {
    let cleanup = CleanupThread::start(None).unwrap();
    assert!(stop(&cleanup, TIMEOUT) < TIMEOUT / 2);
}
