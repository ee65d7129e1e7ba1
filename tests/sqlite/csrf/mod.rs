//! Requests that another site has a browser send, and the application's own forms.

mod answers;
mod exemptions;
mod reasons;
mod refusals;
mod site;
mod tokens;
