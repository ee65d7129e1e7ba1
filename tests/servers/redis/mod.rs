//! Sessions in Redis, alone and as a cluster: what is in there, and what happens when it fails.

mod cluster;
mod outage;
mod records;
mod renewal;
mod texts;
mod users;
