//! Buffers standard output and standard error, so that a blocked reader stops no request.
//!
//! Rocket logs on the threads that answer requests. With a full pipe a log line would block a
//! thread, and soon all of them; with a full disk it would panic.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IsTerminal, PipeReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::stdio::{dup2_stderr, dup2_stdout};

/// Bytes that wait for a reader.
const CAPACITY: usize = 1 << 20;

/// Bytes that a ready pipe accepts without blocking (`PIPE_BUF`).
const PIECE: usize = 4_096;

/// The longest wait for a reader when the program ends.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Writes what is left and restores both streams when it is dropped.
pub(crate) struct Buffered {
    _outputs: [Option<Stream>; 2],
}

struct Stream {
    original: OwnedFd,
    replace: fn(BorrowedFd<'_>) -> rustix::io::Result<()>,
    thread: Option<JoinHandle<()>>,
}

/// Buffers each stream that is not a terminal. Rocket asks terminals for colours.
pub(crate) fn buffered() -> Buffered {
    let stdout = Stream::buffered(io::stdout().as_fd(), |fd| dup2_stdout(fd));
    let stderr = Stream::buffered(io::stderr().as_fd(), |fd| dup2_stderr(fd));
    Buffered {
        // A stream without a buffer still works.
        _outputs: [stdout, stderr].map(|output| output.ok().flatten()),
    }
}

impl Stream {
    fn buffered(
        stream: BorrowedFd<'_>,
        replace: fn(BorrowedFd<'_>) -> rustix::io::Result<()>,
    ) -> io::Result<Option<Self>> {
        let original = File::from(stream.try_clone_to_owned()?);
        if original.is_terminal() {
            return Ok(None);
        }
        let (reader, writer) = io::pipe()?;
        let buffer = Buffer::new(original.try_clone()?);
        let thread = thread::Builder::new().name("output".to_owned());
        let thread = thread.spawn(move || buffer.forward(reader))?;
        replace(writer.as_fd())?;
        Ok(Some(Self {
            original: original.into(),
            replace,
            thread: Some(thread),
        }))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = io::stdout().flush();
        // Closes the last writer of the buffer's pipe, which ends its thread.
        let _ = (self.replace)(self.original.as_fd());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Lines that wait for a reader. Lines that do not fit are dropped and counted.
struct Buffer {
    to: File,
    waiting: VecDeque<u8>,
    /// Whether the waiting bytes, or else the written ones, end within a line.
    in_line: bool,
    /// Whether the written bytes end within a line.
    cuts_line: bool,
    skips_line: bool,
    dropped: u64,
}

impl Buffer {
    fn new(to: File) -> Self {
        Self {
            to,
            waiting: VecDeque::new(),
            in_line: false,
            cuts_line: false,
            skips_line: false,
            dropped: 0,
        }
    }

    /// Forwards what the program writes until it ends.
    fn forward(mut self, mut from: PipeReader) {
        let mut bytes = vec![0; 1 << 16];
        loop {
            let to = (!self.waiting.is_empty()).then_some(&self.to);
            let Ok([readable, writable]) = ready(Some(&from), to, None) else {
                return;
            };
            if writable {
                self.write();
            }
            if readable {
                match from.read(&mut bytes) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => self.take(&bytes[..read]),
                }
            }
        }
        let end = Instant::now() + LAST_LINES;
        while !self.waiting.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            let Ok([_, true]) = ready(None, Some(&self.to), Some(left)) else {
                return;
            };
            self.write();
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            // Leaves one large gap instead of many small ones.
            let space = if self.dropped > 0 {
                CAPACITY / 2
            } else {
                CAPACITY
            };
            if self.skips_line || self.waiting.len() + piece.len() > space {
                self.skips_line = !ends;
                self.dropped += u64::from(ends);
                continue;
            }
            if self.dropped > 0 {
                let end = if self.in_line { "\n" } else { "" };
                let dropped = std::mem::take(&mut self.dropped);
                let note = format!("{end}{{\"event\":\"lines_dropped\",\"dropped\":{dropped}}}\n");
                self.waiting.extend(note.as_bytes());
            }
            self.waiting.extend(piece);
            self.in_line = !ends;
        }
    }

    /// Writes as much as a ready pipe accepts, in whole lines if possible. Drops everything
    /// on an error, since the reader is gone or the disk is full.
    fn write(&mut self) {
        let (piece, _) = self.waiting.as_slices();
        let piece = &piece[..piece.len().min(PIECE)];
        let lines = piece.iter().rposition(|byte| *byte == b'\n');
        let piece = &piece[..lines.map_or(piece.len(), |end| end + 1)];
        match self.to.write(piece) {
            Ok(written) => {
                self.cuts_line = written > 0 && piece[written - 1] != b'\n';
                self.waiting.drain(..written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => {
                self.skips_line |= self.in_line;
                self.in_line = self.cuts_line;
                let ends = |byte: &&u8| **byte == b'\n';
                self.dropped += self.waiting.iter().filter(ends).count() as u64;
                self.waiting.clear();
            }
        }
    }
}

/// Waits until one of the two is ready, at most for `timeout`.
fn ready(
    from: Option<&PipeReader>,
    to: Option<&File>,
    timeout: Option<Duration>,
) -> rustix::io::Result<[bool; 2]> {
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    let from = from.map(|from| PollFd::new(from, PollFlags::IN));
    let to_at = usize::from(from.is_some());
    let to = to.map(|to| PollFd::new(to, PollFlags::OUT));
    let mut both: Vec<_> = from.into_iter().chain(to).collect();
    retry_on_intr(|| poll(&mut both, timeout.as_ref()))?;
    let is_ready = |at: usize| both.get(at).is_some_and(|fd| !fd.revents().is_empty());
    Ok([to_at == 1 && is_ready(0), is_ready(to_at)])
}
