//! Server-side sessions for [Rocket](https://rocket.rs), kept by [Diesel](https://diesel.rs) in SQLite, MariaDB/MySQL or
//! PostgreSQL, or in Redis. No update is lost, a sign-out is final, and the session is saved before the response leaves.
//!
//! ```toml
//! # Cargo.toml, below [dependencies]; not on crates.io yet, so this is a clone of the repository beside your package
//! rocket = "0.5.2"
//! rocket_diesel_session = { path = "../rocket_diesel_session" }   # features: sqlite (default), mysql, postgres, redis
//! ```
//!
//! ```toml
//! # Rocket.toml
//! [default.databases.app]
//! url = "app.db"                   # or mysql://…  postgres://…  redis://…  memory:
//! ```
//!
//! ```rust,no_run
//! use rocket_diesel_session::{Error, Session, Sessions};
//!
//! #[rocket::get("/")]
//! fn visits(session: &Session) -> Result<String, Error> {
//!     let n = session.update("visits", |n: u64| n + 1)?; // re-run on conflict, so no update is lost
//!     Ok(format!("visit {n}"))
//! }
//!
//! #[rocket::launch]
//! fn rocket() -> _ {
//!     rocket::build().attach(Sessions::fairing()).mount("/", rocket::routes![visits])
//! }
//! ```
//!
//! The first launch creates the sessions table. Routes take the guard [`&Session`](Session); its methods work in memory, and
//! the fairing saves what changed.
//!
//! # Where things are
//!
//! | name | purpose |
//! |---|---|
//! | [`Sessions`] | the fairing: settings in code, CSRF protection, the users' table, a store of your own |
//! | [`Session`] | the request guard: values, messages, sign-in, sign-out, devices, transactions |
//! | [`SignedIn`](sign_in::SignedIn) | the request guard for routes that need a signed-in user |
//! | [`sign_in`] | request guards for a fresh proof, and for a sign-in of several steps |
//! | [`LiveSessions`] | the sessions of all users, also outside a request |
//! | [`local`] | sign-in on Rocket's local client, for tests of routes |
//! | [`Database`] | your own queries, on the connections of the sessions |
//! | [`events`] | what happens to sessions, for [`Sessions::on_event`] |
//! | [`csrf`] | why a request was refused, and what was typed into a refused form |
//! | [`store`] | the trait for stores, and the stores: SQL, Redis, memory |
//! | [`MIGRATIONS`] | the migration of the sessions table |
//!
//! # Guides
//!
//! - [Adding sessions to your application](guide::in_your_application)
//! - [Testing your routes](guide::testing_your_routes)
//! - [API and mobile clients](guide::api_and_mobile_clients)
//! - [Streams](guide::streams) that end with their session
//! - [OpenID Connect](guide::openid_connect)
//! - [Settings](guide::settings)
//! - [On a cluster](guide::on_a_cluster)
//! - [Backup](guide::backup)
//! - [Coming from Express and passport](guide::coming_from_express)
//! - [Moving from Express](guide::moving_from_express), with one table for both applications
//!
//! # Features
//!
//! `sqlite` (default), `mysql`, `postgres` and `redis` are the stores. `redis-insecure` allows `#insecure` in a URL of Redis, with
//! which no certificate is verified. `contract` tests a [`Store`](store::Store) of your own.
//! `tracing` emits [`events`] and [spans](guide::settings#events) to the subscribers of the crate `tracing`.
//! `metrics` counts and measures for the [recorder](guide::settings#metrics) of the crate `metrics`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod config;
pub mod csrf;
mod engine;
mod error;
pub mod events;
mod express;
mod fairing;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/src/library/mod.rs"]
pub mod fuzz;
pub mod guide;
mod live;
pub mod local;
mod metrics;
mod record;
pub mod request;
mod session;
/// Request guards for routes that need a signed-in user, a fresh proof or a begun sign-in, and the way to the
/// sign-in page and back.
pub mod sign_in {
    pub use crate::request::local_page::local_page;
    pub use crate::session::account::Account;
    pub use crate::session::begun::Begun;
    pub use crate::session::fresh::{
        AnyFactor, Demand, Fresh, OneTimeCode, Passkey, Password, Provider, needs_confirmation,
    };
    pub use crate::session::proofs::Proof;
    pub use crate::session::signed_in::SignedIn;
    pub use crate::state::Factor;
}
mod state;
pub mod store;
mod token;

pub use self::engine::Database;
pub use self::error::{Error, ErrorKind};
pub use self::fairing::Sessions;
pub use self::live::LiveSessions;
pub use self::session::Session;
pub use self::session::info::SessionInfo;
pub use self::state::Flash;
pub use self::store::sql::MIGRATIONS;
pub use self::token::{Key, Token};
