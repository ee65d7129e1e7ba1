//! Opens the output of the lines, and writes them on a thread.

use std::io::{self, Write};

use super::Sink;
use super::queue::EventQueue;
use crate::metrics;

/// Starts the thread that writes the lines.
pub(super) fn writer(mut out: Box<dyn Write + Send>) -> io::Result<EventQueue<String>> {
    EventQueue::start("session-events", move |line: String| {
        // Continues if the reader is gone.
        let is_written = out.write_all(line.as_bytes()).is_ok();
        metrics::events(if is_written { "written" } else { "dropped" }, 1);
    })
}

/// Duplicates the file descriptor: Rocket prints a log line in pieces, and through the buffer of the
/// standard library an event could land between them.
#[cfg(unix)]
pub(super) fn out(sink: Sink) -> io::Result<Option<Box<dyn Write + Send>>> {
    use std::fs::File;
    use std::os::fd::AsFd;

    let out = match sink {
        Sink::Off => return Ok(None),
        Sink::Stdout => io::stdout().as_fd().try_clone_to_owned()?,
        Sink::Stderr => io::stderr().as_fd().try_clone_to_owned()?,
    };
    Ok(Some(Box::new(File::from(out))))
}

#[cfg(not(unix))]
pub(super) fn out(sink: Sink) -> io::Result<Option<Box<dyn Write + Send>>> {
    Ok(match sink {
        Sink::Off => None,
        Sink::Stdout => Some(Box::new(io::stdout())),
        Sink::Stderr => Some(Box::new(io::stderr())),
    })
}
