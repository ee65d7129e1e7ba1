//! The CSRF protection: requests of other sites, and the application's own forms.

mod answers;
mod bearer;
mod exemptions;
mod reasons;
mod refusals;
mod site;
mod tokens;
