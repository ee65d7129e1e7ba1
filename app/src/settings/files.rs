//! Finds the configuration file, and the folders beside it whose files replace the built-in ones.

use std::env;
use std::path::{Path, PathBuf};

use rocket::Config;
use rocket::figment::providers::{Data, Env, Format, Serialized, Toml};
use rocket::figment::value::{Dict, Map};
use rocket::figment::{self, Figment, Metadata, Profile, Provider};

/// The settings of a program without a file; a file replaces each value that it has.
const SHIPPED: &str = include_str!("../../../Rocket.toml");

/// Reads the configuration as Rocket does, from [`SHIPPED`] and the file that [`config_file`] finds.
pub(crate) fn figment() -> Figment {
    let profile = match cfg!(debug_assertions) {
        true => "dev",
        false => "prod",
    };
    let profile = Profile::from_env_or("ROCKET_PROFILE", profile);
    let file = config_file();
    let missing = file.as_ref().err().cloned();
    let files = [
        Some(Toml::string(SHIPPED).nested()),
        file.ok().map(|file| Toml::file(file).nested()),
    ];
    // The size of the largest form, and of what the proxies in `deploy/` accept.
    let limit = Serialized::default("limits.json", "32 KiB");
    let mut figment = Figment::from(Config::default()).merge(limit);
    if synonyms(&profile).contains(&Profile::new("dev")) {
        // Some clients send no Secure cookie over http.
        figment = figment.merge(Serialized::default("session.cookie.secure", false));
    }
    for file in files.iter().flatten() {
        figment = figment.merge(ProfileTables(file, Profile::Default, Profile::Default));
        for name in synonyms(&profile) {
            figment = figment.merge(ProfileTables(file, name, Profile::Default));
        }
        figment = figment.merge(ProfileTables(file, Profile::Global, Profile::Global));
    }
    if let Some(Some(named)) = missing {
        figment = figment.merge(Missing(named));
    }
    // The templates of rocket_dyn_templates need a path; the program holds no file of theirs.
    let templates = folder("templates").or_else(|| env::current_exe().ok());
    figment
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

/// The error for a file that `ROCKET_CONFIG` names and that is not there.
struct Missing(PathBuf);

impl Provider for Missing {
    fn metadata(&self) -> Metadata {
        Metadata::named("ROCKET_CONFIG")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let named = self.0.display();
        Err(format!("there is no file {named}; correct its path").into())
    }
}

/// Returns the folder beside the configuration file, or else beside the program.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let files = config_file().ok().into_iter().chain(env::current_exe());
    let mut folders = files.map(|file| file.with_file_name(name));
    folders.find(|folder| folder.is_dir())
}

/// Returns the file that `ROCKET_CONFIG` names, else `Rocket.toml` in the working directory, a
/// folder above it, or beside the program. If there is none, the error has the name of
/// `ROCKET_CONFIG`.
fn config_file() -> Result<PathBuf, Option<PathBuf>> {
    let named = env::var_os("ROCKET_CONFIG").map(PathBuf::from);
    let name = named.as_deref().unwrap_or(Path::new("Rocket.toml"));
    let start = env::current_dir().unwrap_or_default();
    let program = env::current_exe().unwrap_or_default();
    let above = start.ancestors().map(|folder| folder.join(name));
    let beside_program = named.is_none().then(|| program.with_file_name(name));
    let found = above.chain(beside_program).find(|file| file.is_file());
    found.ok_or(named)
}
