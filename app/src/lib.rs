//! The application that shows the sessions: register, sign in, guarded pages, sign out; and the
//! command line that looks after them.

mod accounts;
mod cli;
mod db;
#[cfg(any(test, fuzzing))]
#[path = "../../fuzz/src/application.rs"]
pub mod fuzz;
mod passwords;
pub mod serve;
mod settings;
mod web;

use std::process::ExitCode;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rocket::fairing::Fairing;
use rocket::figment::{Figment, Profile};
use rocket::{Build, Rocket};
use rocket_diesel_session::Sessions;
use rocket_dyn_templates::Template;

use self::settings::Settings;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Does what the command line asks for; serves if it asks for nothing.
pub fn run() -> ExitCode {
    match cli::asked() {
        Some(command) => cli::run(command),
        None => {
            #[cfg(unix)]
            let _buffered = serve::log_buffer::buffered();
            let rocket = rocket();
            #[cfg(target_os = "linux")]
            let rocket = rocket.attach(serve::drain::Drain);
            serve::launch::launch(rocket)
        }
    }
}

fn rocket() -> Rocket<Build> {
    let figment = figment();
    let templates = templates(&figment);
    rocket::custom(figment)
        .attach(settings::files::static_files())
        .attach(settings::stage())
        .attach(accounts::auth_request::stage())
        .attach(web::sign_in_forms::stage())
        .attach(web::account_pages::stage())
        .attach(web::device_pages::stage())
        .attach(web::api::stage())
        .attach(web::errors::stage())
        .attach(web::pages::stage())
        .attach(web::headers::stage())
        .attach(templates)
        .attach(sessions())
        .attach(accounts::migration())
        .attach(web::api::origins::stage())
}

fn figment() -> Figment {
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "prod"
    };
    settings::files::figment(Profile::from_env_or("ROCKET_PROFILE", profile))
}

/// The forms say of themselves how long a password has to be.
fn templates(figment: &Figment) -> impl Fairing + use<> {
    let settings = Settings::read(figment).unwrap_or_default();
    Template::custom(move |engines| {
        let environment = &mut engines.minijinja;
        environment.add_global("password_min", settings.password_min);
    })
}

fn sessions() -> Sessions {
    Sessions::fairing()
        .with_migrations(MIGRATIONS)
        .with_user("users", "id", web::current_user::COLUMNS)
        .with_cross_site_protection()
}
