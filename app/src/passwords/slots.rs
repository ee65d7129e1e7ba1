//! Limits how many passwords are hashed and wait at the same time.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use rocket::tokio::sync::oneshot;
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::timeout;

use super::queue::Queue;
use crate::metrics;

/// The password was not hashed: too many others wait, or there was no random salt.
#[derive(Debug, PartialEq)]
pub(crate) struct Busy;

/// The longest wait before hashing begins.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// Waiting passwords per processor: as many as are hashed within the timeout, at 150 ms each.
pub(super) const WAITING: usize = 13;

/// Leaves one processor to all other requests.
static QUEUE: LazyLock<Mutex<Queue>> = LazyLock::new(|| {
    let count = available_parallelism().map_or(1, |count| count.get().max(2) - 1);
    Mutex::new(Queue::new(count, count * (1 + WAITING)))
});

/// Changes the queue, and measures it.
fn change<T>(change: impl FnOnce(&mut Queue) -> T) -> T {
    let mut queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    let done = change(&mut queue);
    let [waiting, hashing] = queue.lengths();
    metrics::passwords(waiting, hashing);
    done
}

/// A slot in the queue of passwords to hash.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Reservation>);

/// Holds the slot until hashing ends, even if the request is dropped earlier.
#[derive(Debug)]
struct Reservation(u64);

/// The permission to hash now.
struct Permit(Arc<Reservation>);

impl Drop for Reservation {
    fn drop(&mut self) {
        change(|queue| queue.leave(self.0, Instant::now()));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        change(|queue| queue.finish(self.0.0));
    }
}

impl Slot {
    /// Takes a slot without waiting: a free one, or that of a busier account or address.
    pub(crate) fn take(account: &str, address: Option<&str>) -> Result<Self, Busy> {
        let address = address.map(|address| format!("address {address}"));
        let keys = [format!("account {account}")].into_iter().chain(address);
        let id = change(|queue| queue.enter(keys.collect(), Instant::now()))?;
        Ok(Self(Arc::new(Reservation(id))))
    }

    /// Waits for a permit, then runs `work` on a blocking thread.
    pub(super) async fn bounded<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (sender, receiver) = oneshot::channel();
        let start = Instant::now();
        change(|queue| queue.wait(self.0.0, sender));
        let Ok(Ok(())) = timeout(TIMEOUT, receiver).await else {
            return Err(Busy);
        };
        metrics::password_waited(start.elapsed());
        let permit = Permit(Arc::clone(&self.0));
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        spawn_blocking(work).await.map_err(|_| Busy)
    }
}
