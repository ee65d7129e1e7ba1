//! Captures the errors that are logged during a command, for its one line of output, and its migrations.

use std::sync::{Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

struct CapturedLog {
    errors: Mutex<Vec<String>>,
    migrations: Mutex<Vec<String>>,
}

static CAPTURED: CapturedLog = CapturedLog {
    errors: Mutex::new(Vec::new()),
    migrations: Mutex::new(Vec::new()),
};

/// Replaces Rocket's logger, which writes to stdout.
pub(super) fn start() {
    if log::set_logger(&CAPTURED).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Returns the errors that were logged so far.
pub(super) fn errors() -> String {
    let errors = CAPTURED.errors.lock();
    errors.unwrap_or_else(PoisonError::into_inner).join("; ")
}

/// Returns the lines about the migrations that ran so far.
pub(super) fn migrations() -> Vec<String> {
    let migrations = CAPTURED.migrations.lock();
    migrations.unwrap_or_else(PoisonError::into_inner).clone()
}

impl Log for CapturedLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LevelFilter::Info
    }

    fn log(&self, record: &Record<'_>) {
        let line = record.args().to_string();
        let lines = match record.level() {
            Level::Error => &self.errors,
            Level::Info if line.starts_with("ran the migration ") => &self.migrations,
            _ => return,
        };
        lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }

    fn flush(&self) {}
}
