//! Runs the application with its sessions in Redis.

mod encrypted;
mod launch;
mod users;
