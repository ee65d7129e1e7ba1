//! Runs the server process: launch, log, and shutdown.

#[cfg(target_os = "linux")]
mod drain;
mod exporter;
pub mod launch;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(unix)]
mod log_buffer;

use std::process::ExitCode;

use rocket::{Build, Rocket};

use crate::{accounts, settings, web};

/// Serves the application until the process is asked to stop.
pub(crate) fn serve() -> ExitCode {
    #[cfg(unix)]
    let _buffered = log_buffer::buffered();
    let rocket = rocket();
    #[cfg(target_os = "linux")]
    let rocket = rocket.attach(drain::Drain);
    launch::launch(rocket)
}

fn rocket() -> Rocket<Build> {
    let figment = settings::files::figment();
    let templates = web::files::templates(&figment);
    rocket::custom(figment)
        .attach(web::files::stage())
        .attach(settings::stage())
        // Before the sessions, which count for the recorder that is installed at their launch.
        .attach(exporter::stage())
        .attach(accounts::auth_request::stage())
        .attach(web::sign_in_forms::stage())
        .attach(web::account_pages::stage())
        .attach(web::device_pages::stage())
        .attach(web::session_end::stage())
        .attach(web::api::stage())
        .attach(web::errors::stage())
        .attach(web::pages::stage())
        .attach(web::health::stage())
        .attach(web::headers::stage())
        .attach(templates)
        .attach(accounts::sessions())
        .attach(accounts::email::migration())
        // After the sessions, whose error page would replace an answer with its headers.
        .attach(web::api::origins::stage())
}
