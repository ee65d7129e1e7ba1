//! Lets the saves of one session run one after the other.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use rocket::tokio::sync::{Mutex, MutexGuard};
use rocket::tokio::time::timeout;

use crate::token::Key;

/// A lock for each session, so that its saves run one after the other in the order in which they came.
///
/// The store decides between concurrent saves in any case, but by refusing all but one each time. Without
/// locks, many requests of one session would keep the store threads busy, and some would be refused again
/// and again. Sessions whose keys share a lock by chance wait for each other for a moment.
pub(crate) struct SessionLocks(Box<[Mutex<LastSave>]>);

/// The key and the version of the last save under a lock.
pub(crate) type LastSave = Option<(Key, i64)>;

impl Default for SessionLocks {
    fn default() -> Self {
        Self((0..1_024).map(|_| Mutex::default()).collect())
    }
}

/// A save that has waited this long goes on without the lock.
const LOCK_TIMEOUT: Duration = Duration::from_millis(400);

impl SessionLocks {
    /// Returns the lock, and whether another save had it.
    pub(crate) async fn lock(&self, key: &Key) -> Option<(MutexGuard<'_, LastSave>, bool)> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let lock = &self.0[hasher.finish() as usize % self.0.len()];
        if let Ok(free) = lock.try_lock() {
            return Some((free, false));
        }
        let waited_for = timeout(LOCK_TIMEOUT, lock.lock()).await;
        Some((waited_for.ok()?, true))
    }
}
