//! The log of a command: errors are kept for its one line, the rest is dropped.

use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

struct CapturedLog(Mutex<Vec<String>>);

static CAPTURED: CapturedLog = CapturedLog(Mutex::new(Vec::new()));

/// Takes the place of Rocket's logger, which would write to stdout.
pub(super) fn start() {
    if log::set_logger(&CAPTURED).is_ok() {
        log::set_max_level(LevelFilter::Error);
    }
}

/// What was logged as an error so far.
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
