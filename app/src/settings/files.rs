//! Finds the configuration file, and the application's other files beside it.

use std::env;
use std::path::{Path, PathBuf};

use rocket::Config;
use rocket::fairing::AdHoc;
use rocket::figment::providers::{Data, Env, Format, Serialized, Toml};
use rocket::figment::value::{Dict, Map};
use rocket::figment::{self, Figment, Metadata, Profile, Provider};
use rocket::fs::{FileServer, Options};

/// Reads the configuration as Rocket does, from the file that [`config_file`] finds.
pub(crate) fn figment() -> Figment {
    let profile = match cfg!(debug_assertions) {
        true => "dev",
        false => "prod",
    };
    let profile = Profile::from_env_or("ROCKET_PROFILE", profile);
    let file = config_file();
    let templates = beside(&file, "templates");
    let file = Toml::file(file).nested();
    // The size of the largest form, and of what the proxies in `deploy/` accept.
    let limit = Serialized::default("limits.json", "32 KiB");
    let mut figment = Figment::from(Config::default()).merge(limit);
    if synonyms(&profile).contains(&Profile::new("dev")) {
        // Some clients send no Secure cookie over http.
        figment = figment.merge(Serialized::default("session.cookie.secure", false));
    }
    figment = figment.merge(ProfileTables(&file, Profile::Default, Profile::Default));
    for name in synonyms(&profile) {
        figment = figment.merge(ProfileTables(&file, name, Profile::Default));
    }
    figment
        .merge(ProfileTables(&file, Profile::Global, Profile::Global))
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE"]).global())
        .join(Serialized::default("template_dir", templates))
        .select(profile)
}

/// Returns the names of a profile's tables, its own name last. Rocket calls `dev` and `prod`
/// `debug` and `release`.
fn synonyms(profile: &Profile) -> Vec<Profile> {
    let pairs = [["dev", "debug"], ["prod", "release"]];
    let mut pairs = pairs
        .into_iter()
        .flat_map(|[one, other]| [[one, other], [other, one]]);
    let other = pairs.find(|[name, _]| profile == *name);
    let other = other.map(|[_, other]| Profile::new(other));
    other.into_iter().chain([profile.clone()]).collect()
}

/// The values of one profile of a file as those of another. Rocket warns of each table whose
/// name begins with `dev` or `prod`.
struct ProfileTables<'f>(&'f Data<Toml>, Profile, Profile);

impl Provider for ProfileTables<'_> {
    fn metadata(&self) -> Metadata {
        self.0.metadata()
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let values = self.0.data()?.remove(&self.1).unwrap_or_default();
        Ok(Map::from([(self.2.clone(), values)]))
    }
}

/// Serves the static files. Aborts the launch with one line if there are none.
pub(crate) fn static_files() -> AdHoc {
    AdHoc::try_on_ignite("Static files", |rocket| async {
        let folder = beside(&config_file(), "static");
        if !folder.is_dir() {
            rocket::error!(
                "there is no folder {}; put static and templates beside Rocket.toml, and set ROCKET_CONFIG to its path",
                folder.display()
            );
            return Err(rocket);
        }
        let files = FileServer::new(folder, Options::default());
        Ok(rocket.mount("/static", files))
    })
}

/// Returns the file that `ROCKET_CONFIG` names, else `Rocket.toml` in the working directory, a
/// folder above it, or beside the program.
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
