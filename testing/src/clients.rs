//! Many clients at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` for each number below `count`, with this many clients at once.
pub fn at_once(clients: usize, count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}
