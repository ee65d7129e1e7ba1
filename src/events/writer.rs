//! Writes events on a thread, so that no request waits for the reader of a pipe.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// The largest number of lines that wait. Further ones are dropped and counted.
pub(super) const QUEUE: usize = 1_024;

/// The longest time that a shutdown waits for unread lines.
const LAST_LINES: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    /// `None` while the writer is being dropped.
    lines: Option<Sender<String>>,
    waiting: Arc<AtomicUsize>,
    dropped: AtomicU64,
    ended: Receiver<()>,
}

impl Writer {
    pub(super) fn start(mut out: Box<dyn Write + Send>) -> io::Result<Self> {
        let (lines, queue) = unbounded::<String>();
        let (end, ended) = unbounded();
        let waiting = Arc::new(AtomicUsize::default());
        let written = waiting.clone();
        thread::Builder::new()
            .name("session-events".into())
            .spawn(move || {
                for line in queue {
                    // Continues if the reader is gone.
                    let _ = out.write_all(line.as_bytes());
                    written.fetch_sub(1, Ordering::Relaxed);
                }
                let _ = end.send(());
            })?;
        Ok(Self {
            lines: Some(lines),
            waiting,
            dropped: AtomicU64::default(),
            ended,
        })
    }

    /// Queues a line, or drops it if too many wait already.
    pub(super) fn write(&self, line: String) {
        let Some(lines) = &self.lines else {
            return;
        };
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE || lines.send(line).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes the number of dropped lines, if the next line will not be one of them.
    pub(super) fn take_dropped(&self) -> u64 {
        match self.waiting.load(Ordering::Relaxed) < QUEUE {
            true => self.dropped.swap(0, Ordering::Relaxed),
            false => 0,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.lines.take());
        let _ = self.ended.recv_timeout(LAST_LINES);
    }
}

#[cfg(test)]
impl Writer {
    /// Waits until every queued line is written.
    pub(super) fn settle(&self) {
        while self.waiting.load(Ordering::Relaxed) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
