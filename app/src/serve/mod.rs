//! Runs the server process: launch, log, and shutdown.

#[cfg(target_os = "linux")]
pub(crate) mod drain;
pub mod launch;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(unix)]
pub(crate) mod log_buffer;
