//! The application that shows the sessions: register, sign in, guarded pages, sign out; and the
//! command line that looks after them.

mod account;
mod accounts;
mod agent;
mod api;
mod attempts;
mod body;
mod caller;
mod commands;
mod common_passwords;
mod devices;
#[cfg(target_os = "linux")]
mod drain;
mod errors;
mod fields;
mod folder;
mod forms;
mod fresh;
#[cfg(any(test, fuzzing))]
#[path = "../../fuzz/src/application.rs"]
pub mod fuzz;
mod headers;
mod known_device;
pub mod launch;
mod listed;
#[cfg(target_os = "linux")]
mod listener;
mod moment;
mod next;
#[cfg(unix)]
mod output;
mod own_password;
mod owner;
mod page;
mod pages;
mod password;
mod problem;
mod refusal;
mod refused_form;
mod schema;
mod settings;
mod typed_location;
mod user;
mod users;

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
    match commands::asked() {
        Some(command) => commands::run(command),
        None => {
            #[cfg(unix)]
            let _buffered = output::buffered();
            let rocket = rocket();
            #[cfg(target_os = "linux")]
            let rocket = rocket.attach(drain::Drain);
            launch::launch(rocket)
        }
    }
}

fn rocket() -> Rocket<Build> {
    let figment = figment();
    let templates = templates(&figment);
    rocket::custom(figment)
        .attach(folder::static_files())
        .attach(settings::stage())
        .attach(caller::stage())
        .attach(forms::stage())
        .attach(account::stage())
        .attach(devices::stage())
        .attach(api::stage())
        .attach(errors::stage())
        .attach(pages::stage())
        .attach(headers::stage())
        .attach(templates)
        .attach(sessions())
        .attach(accounts::migration())
        .attach(api::origins::stage())
}

fn figment() -> Figment {
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "prod"
    };
    folder::figment(Profile::from_env_or("ROCKET_PROFILE", profile))
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
        .with_user("users", "id", user::COLUMNS)
        .with_cross_site_protection()
}
