//! All targets, those of the library and those of the application.

pub use app::fuzz::{next, phc};
pub use rocket_diesel_session::fuzz::{cookie_header, duration, record};
