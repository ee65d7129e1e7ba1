//! Checks the security events of sessions and users.

mod application;
mod refused;
