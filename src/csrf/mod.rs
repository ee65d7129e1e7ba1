//! The CSRF protection: why a request was refused, and the form that it sent.

mod answer;
pub(crate) mod check;
pub(crate) mod exemption;
pub(crate) mod origin;
mod refusal;
pub(crate) mod token;

pub use self::refusal::{Reason, Refusal};
