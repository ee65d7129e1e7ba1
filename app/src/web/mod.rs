//! Answers HTTP requests: pages, forms and the API.

pub(crate) mod account_pages;
pub(crate) mod api;
pub(crate) mod browser_name;
pub(crate) mod current_user;
pub(crate) mod device_pages;
pub(crate) mod errors;
pub(crate) mod files;
pub(crate) mod headers;
pub(crate) mod health;
mod layout;
pub(crate) mod pages;
mod problem;
mod recent_sign_in;
mod refused_form;
pub(crate) mod return_to;
pub(crate) mod session_end;
pub(crate) mod sign_in_forms;
pub(crate) mod time_text;
mod typed_location;
