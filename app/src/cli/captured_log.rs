//! Captures the errors that are logged during a command, for its one line of output.

use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

struct CapturedLog(Mutex<Vec<String>>);

static CAPTURED: CapturedLog = CapturedLog(Mutex::new(Vec::new()));

/// Replaces Rocket's logger, which writes to stdout.
pub(super) fn start() {
    if log::set_logger(&CAPTURED).is_ok() {
        log::set_max_level(LevelFilter::Error);
    }
}

/// Returns the errors that were logged so far.
pub(super) fn errors() -> String {
    let errors = CAPTURED.0.lock().unwrap_or_else(PoisonError::into_inner);
    errors.join("; ")
}

impl Log for CapturedLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LevelFilter::Error
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            errors.push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}
