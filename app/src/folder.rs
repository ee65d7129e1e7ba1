//! Finds the application's files wherever it is started: beside its configuration file.

use std::env;
use std::path::{Path, PathBuf};

use rocket::Config;
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::figment::providers::{Env, Format, Serialized, Toml};
use rocket::fs::{FileServer, Options};

/// The configuration as Rocket reads it, from the file that [`config_file`] finds.
pub(crate) fn figment() -> Figment {
    let file = config_file();
    let templates = beside(&file, "templates");
    Figment::from(Config::default())
        .merge(Toml::file(file).nested())
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE"]).global())
        .join(Serialized::default("template_dir", templates))
}

/// Serves the static files; the launch stops, with one line, where there are none.
pub(crate) fn static_files() -> AdHoc {
    AdHoc::try_on_ignite("Static files", |rocket| async {
        let folder = beside(&config_file(), "static");
        if !folder.is_dir() {
            rocket::error!(
                "there is no folder {}; put static and templates beside Rocket.toml, and say by ROCKET_CONFIG \
                 where that is",
                folder.display()
            );
            return Err(rocket);
        }
        let files = FileServer::new(folder, Options::default());
        Ok(rocket.mount("/static", files))
    })
}

/// Where `ROCKET_CONFIG` says, else `Rocket.toml` in the working directory or in one above it, else
/// beside the program.
fn config_file() -> PathBuf {
    let named = env::var_os("ROCKET_CONFIG").map(PathBuf::from);
    let name = named.as_deref().unwrap_or(Path::new("Rocket.toml"));
    let start = env::current_dir().unwrap_or_default();
    let program = env::current_exe().unwrap_or_default();
    let above = start.ancestors().map(|folder| folder.join(name));
    let beside_program = named.is_none().then(|| beside(&program, "Rocket.toml"));
    let found = above.chain(beside_program).find(|file| file.is_file());
    found.unwrap_or_else(|| start.join(name))
}

fn beside(file: &Path, name: &str) -> PathBuf {
    file.with_file_name(name)
}
