//! Runs the server process: launch, log, and shutdown.

#[cfg(target_os = "linux")]
mod drain;
pub mod launch;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(unix)]
mod log_buffer;

use std::process::ExitCode;

use rocket::fairing::Fairing;
use rocket::figment::Figment;
use rocket::{Build, Rocket};
use rocket_dyn_templates::Template;

use crate::settings::{self, Settings};
use crate::{accounts, web};

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
    let templates = templates(&figment);
    rocket::custom(figment)
        .attach(settings::files::static_files())
        .attach(settings::stage())
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

/// Gives the templates the length of a password, which the forms show.
fn templates(figment: &Figment) -> impl Fairing + use<> {
    let settings = Settings::read(figment).unwrap_or_default();
    Template::custom(move |engines| {
        let environment = &mut engines.minijinja;
        environment.add_global("password_min", settings.password_min);
    })
}
