//! The application, put together from its stages.

mod account;
mod accounts;
mod agent;
mod api;
pub(crate) mod commands;
mod devices;
mod errors;
mod fields;
mod forms;
mod fresh;
mod moment;
mod next;
mod own_password;
mod owner;
mod page;
mod pages;
mod password;
mod problem;
mod schema;
mod user;
mod users;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rocket::figment::{Figment, Profile};
use rocket::fs::FileServer;
use rocket::{Build, Config, Rocket};
use rocket_diesel_session::Sessions;
use rocket_dyn_templates::Template;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

pub(crate) fn rocket() -> Rocket<Build> {
    rocket::custom(figment())
        .mount("/static", FileServer::from("static"))
        .attach(forms::stage())
        .attach(account::stage())
        .attach(devices::stage())
        .attach(api::stage())
        .attach(errors::stage())
        .attach(pages::stage())
        .attach(Template::fairing())
        .attach(sessions())
}

fn figment() -> Figment {
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "prod"
    };
    Config::figment().select(Profile::from_env_or("ROCKET_PROFILE", profile))
}

fn sessions() -> Sessions {
    Sessions::fairing()
        .with_migrations(MIGRATIONS)
        .with_user("users", "id", user::COLUMNS)
}
