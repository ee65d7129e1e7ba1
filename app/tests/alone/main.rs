//! Stops the server that all tests share, or counts its statements.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

#[cfg(target_os = "linux")]
mod cost;
mod floods;
#[cfg(feature = "test_servers")]
mod health;
#[cfg(feature = "test_servers")]
mod outage;
#[cfg(feature = "test_servers")]
mod statements;
mod stops;
#[cfg(target_os = "linux")]
mod streams;

#[cfg(target_os = "linux")]
use std::fs;
use std::io::BufRead;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock for tests that stop MariaDB, count its statements, or would add to the count.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the processor time of all threads of a process, in milliseconds.
#[cfg(target_os = "linux")]
fn spent(process: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let spent = threads.flatten().filter_map(|thread| {
        let statistics = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        statistics.split(' ').next()?.parse::<f64>().ok()
    });
    spent.sum::<f64>() / 1e6
}

/// Returns the header lines of a response in lower case; `None` at the end of the connection.
fn head(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => return Some(lines),
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
}
