//! How many passwords are hashed at a time, and how many wait for it.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use rocket::tokio::sync::oneshot;
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::timeout;

use super::queue::Queue;

/// A password was not hashed, because too many others are, or for want of randomness.
#[derive(Debug, PartialEq)]
pub(crate) struct Busy;

/// How long a password waits to be hashed.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// As many as are hashed within that time, 150 ms each.
pub(super) const WAITING: usize = 13;

/// One processor is left for those who are signed in already.
static QUEUE: LazyLock<Mutex<Queue>> = LazyLock::new(|| {
    let count = available_parallelism().map_or(1, |count| count.get().max(2) - 1);
    Mutex::new(Queue::new(count, count * (1 + WAITING)))
});

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place among those whose passwords are hashed, or soon will be.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Reservation>);

/// Holds the place until its hash is made, even if the request is dropped before.
#[derive(Debug)]
struct Reservation(u64);

/// The right to hash now.
struct Permit(Arc<Reservation>);

impl Drop for Reservation {
    fn drop(&mut self) {
        queue().leave(self.0, Instant::now());
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        queue().finish(self.0.0);
    }
}

impl Slot {
    /// Takes one without waiting: a free one, or that of a busier account or address.
    pub(crate) fn take(account: &str, address: Option<&str>) -> Result<Self, Busy> {
        let address = address.map(|address| format!("address {address}"));
        let keys = [format!("account {account}")].into_iter().chain(address);
        let id = queue().enter(keys.collect(), Instant::now())?;
        Ok(Self(Arc::new(Reservation(id))))
    }

    /// Does `work` on a thread of its own once it is its permit.
    pub(super) async fn bounded<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (sender, receiver) = oneshot::channel();
        queue().wait(self.0.0, sender);
        let Ok(Ok(())) = timeout(TIMEOUT, receiver).await else {
            return Err(Busy);
        };
        let permit = Permit(Arc::clone(&self.0));
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        spawn_blocking(work).await.map_err(|_| Busy)
    }
}
