//! The CSRF protection's answers.

mod answer;
pub(crate) mod check;
pub(crate) mod exemption;
pub(crate) mod origin;
mod refusal;
pub(crate) mod token;

pub use self::refusal::{Reason, Refusal};
