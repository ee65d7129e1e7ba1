//! As much of the application as its targets need; it is a program, of which nothing can be used.

#![allow(dead_code, reason = "the targets use a part of it")]

#[path = "../../src/app/fuzz.rs"]
pub(crate) mod fuzz;
#[path = "../../src/app/next.rs"]
mod next;
#[path = "../../src/app/password.rs"]
mod password;
