//! Requests that another site has a browser send, and the forms of one's own.

mod answers;
mod exemptions;
mod reasons;
mod refusals;
mod site;
mod tokens;
