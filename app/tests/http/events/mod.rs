//! What the application tells of sessions and users.

mod application;
mod refused;
