//! The facts that HTTP gives of a request: its cookies, its bearer token, its client, and whether its answer is read.

pub(crate) mod bearer;
pub(crate) mod catcher;
pub(crate) mod client;
pub(crate) mod cookie;
pub(crate) mod incoming;
pub(crate) mod local_page;
pub(crate) mod network;
pub(crate) mod problem;
pub(crate) mod reading;

pub(crate) use self::incoming::Incoming;
pub use self::incoming::cookie;
