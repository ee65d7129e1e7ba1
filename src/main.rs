//! The application.

fn main() {}
