//! A bounded queue whose items a thread takes, so that no request waits for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// The largest number of items that wait. Further ones are dropped and counted.
pub(super) const LONGEST: usize = 1_024;

/// The longest time that a shutdown waits for the items in the queue.
const LAST_ITEMS: Duration = Duration::from_secs(1);

pub(super) struct EventQueue<T> {
    /// `None` while the queue is being dropped.
    items: Option<Sender<T>>,
    waiting: Arc<AtomicUsize>,
    dropped: AtomicU64,
    ended: Receiver<()>,
}

impl<T: Send + 'static> EventQueue<T> {
    /// Starts a thread of this name that calls `take` for each item.
    pub(super) fn start(name: &str, mut take: impl FnMut(T) + Send + 'static) -> io::Result<Self> {
        let (items, queue) = unbounded::<T>();
        let (end, ended) = unbounded();
        let waiting = Arc::new(AtomicUsize::default());
        let taken = waiting.clone();
        thread::Builder::new().name(name.into()).spawn(move || {
            for item in queue {
                take(item);
                taken.fetch_sub(1, Ordering::Relaxed);
            }
            let _ = end.send(());
        })?;
        Ok(Self {
            items: Some(items),
            waiting,
            dropped: AtomicU64::default(),
            ended,
        })
    }

    /// Queues an item, or drops it if too many wait already. Returns how many have been dropped since they
    /// were last taken, with this one; 0 if it waits.
    pub(super) fn push(&self, item: T) -> u64 {
        let Some(items) = &self.items else {
            return 0;
        };
        if self.waiting.fetch_add(1, Ordering::Relaxed) < LONGEST && items.send(item).is_ok() {
            return 0;
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.dropped.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes the number of dropped items, if less than `longest` wait.
    pub(super) fn take_dropped(&self, longest: usize) -> u64 {
        match self.waiting.load(Ordering::Relaxed) < longest {
            true => self.dropped.swap(0, Ordering::Relaxed),
            false => 0,
        }
    }
}

impl<T> Drop for EventQueue<T> {
    fn drop(&mut self) {
        drop(self.items.take());
        let _ = self.ended.recv_timeout(LAST_ITEMS);
    }
}

#[cfg(test)]
impl<T> EventQueue<T> {
    /// Waits until the thread has taken every item.
    pub(super) fn settle(&self) {
        while self.waiting.load(Ordering::Relaxed) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
