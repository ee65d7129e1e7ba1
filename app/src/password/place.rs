//! How many passwords are hashed at a time, and how many wait for it.

use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

use rocket::tokio::sync::{Semaphore, SemaphorePermit};
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::timeout;

/// A password was not hashed, because too many others are, or for want of randomness.
#[derive(Debug, PartialEq)]
pub(crate) struct Busy;

/// How long a password waits to be hashed.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// As many as are hashed within that time, 150 ms each.
pub(super) const WAITING: usize = 13;

struct Hashers {
    working: Semaphore,
    /// Those who work and those who wait.
    places: Semaphore,
}

/// One processor is left for those who are signed in already.
static HASHERS: LazyLock<Hashers> = LazyLock::new(|| {
    let count = available_parallelism().map_or(1, |count| count.get().max(2) - 1);
    Hashers {
        working: Semaphore::new(count),
        places: Semaphore::new(count * (1 + WAITING)),
    }
});

/// A place among those whose passwords are hashed, or soon will be.
#[derive(Debug)]
pub(crate) struct Place {
    _place: SemaphorePermit<'static>,
}

impl Place {
    /// Takes one if there is one left; nobody waits for it.
    pub(crate) fn take() -> Result<Self, Busy> {
        let _place = HASHERS.places.try_acquire().map_err(|_| Busy)?;
        Ok(Self { _place })
    }

    /// Does `work` on a thread of its own once it is its turn.
    pub(super) async fn bounded<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = timeout(PATIENCE, HASHERS.working.acquire()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Busy);
        };
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        spawn_blocking(work).await.map_err(|_| Busy)
    }
}
