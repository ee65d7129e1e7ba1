//! Sessions over HTTP, as routes, browsers and stores see them.

mod bad_input;
mod bearer;
mod bearer_wire;
mod confirmation_page;
mod cookies;
mod express;
mod failure;
mod lifetime;
mod listeners;
mod local_client;
mod local_sign_in;
mod other_fairings;
mod outage;
mod outside;
mod ready;
mod saving;
mod sign_in_page;
mod sign_out;
mod signed_in;
mod streams;
mod timeouts;
mod users;
mod values;
