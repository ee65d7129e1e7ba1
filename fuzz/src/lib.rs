//! All targets, those of the library and those of the application.

mod app;

pub use rocket_diesel_session::fuzz::{cookie_header, duration, record};

pub fn next(data: &[u8]) {
    app::fuzz::next(data);
}

pub fn phc(data: &[u8]) {
    app::fuzz::phc(data);
}
