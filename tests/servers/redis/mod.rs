//! Sessions in Redis, alone and as a cluster: its keys, and its failures.

mod cluster;
mod many;
mod outage;
mod records;
mod renewal;
mod sentinel;
mod texts;
mod users;
