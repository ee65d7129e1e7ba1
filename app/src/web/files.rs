//! The templates and static files inside the program. A file of the same name in a folder replaces one.

use std::error::Error;
use std::fs;
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::Path;

use rocket::fairing::{AdHoc, Fairing};
use rocket::figment::Figment;
use rocket::figment::value::magic::RelativePathBuf;
use rocket::fs::{FileServer, Options};
use rocket::http::ContentType;
use rocket::{Route, get, routes};
use rocket_dyn_templates::minijinja::AutoEscape;
use rocket_dyn_templates::{Engines, Template};

use crate::settings::Settings;
use crate::settings::files::folder;

macro_rules! embedded {
    ($folder:literal: $($name:literal)+) => {
        &[$(($name, include_str!(concat!("../../../", $folder, "/", $name)))),+]
    };
}

const TEMPLATES: &[(&str, &str)] = embedded! {
    "templates":
    "account.html.j2" "base.html.j2" "confirm.html.j2" "devices.html.j2" "error.html.j2"
    "field.html.j2" "home.html.j2" "index.html.j2" "login.html.j2" "messages.html.j2"
    "password.html.j2" "register.html.j2" "token.html.j2"
};

const STATIC: &[(&str, &str)] = embedded! {
    "static": "countdown.js" "favicon.svg" "session_end.js" "style.css"
};

/// Serves the static files.
pub(crate) fn stage() -> AdHoc {
    AdHoc::on_ignite("Static files", |rocket| async {
        let folder = folder("static").map(|folder| FileServer::new(folder, Options::default()));
        let routes: Vec<Route> = folder.map(Into::into).unwrap_or_default();
        rocket
            .mount("/static", routes)
            .mount("/static", routes![file])
    })
}

/// Ranks after the folder.
#[get("/<name>", rank = 11)]
fn file(name: &str) -> Option<(ContentType, &'static str)> {
    let (_, text) = STATIC.iter().find(|(known, _)| *known == name)?;
    let (_, extension) = name.rsplit_once('.')?;
    Some((ContentType::from_extension(extension)?, text))
}

/// Renders the templates, with the length of a password, which the forms show.
///
/// A debug build reads them again when a file of the folder changes.
pub(crate) fn templates(figment: &Figment) -> impl Fairing + use<> {
    let settings = Settings::read(figment).unwrap_or_default();
    let folder = figment.extract_inner("template_dir");
    let folder = folder.map(|folder: RelativePathBuf| folder.relative());
    let folder = folder.unwrap_or_default();
    Template::try_custom(move |engines| {
        let environment = &mut engines.minijinja;
        environment.add_global("password_min", settings.password_min);
        // All templates are HTML. By default only those of the folder would be escaped.
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        add_templates(engines, &folder)
    })
}

/// Adds each template as `NAME.html`, of which `Template` takes the content type.
fn add_templates(engines: &mut Engines, folder: &Path) -> Result<(), Box<dyn Error>> {
    for (file, embedded) in TEMPLATES {
        let path = folder.join(file);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if [NotFound, NotADirectory].contains(&error.kind()) => (*embedded).into(),
            Err(error) => return Err(format!("{} cannot be read: {error}", path.display()).into()),
        };
        let name = file.trim_end_matches(".j2");
        engines.minijinja.add_template_owned(name, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn all_files_of_both_folders_are_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for (folder, embedded) in [("templates", TEMPLATES), ("static", STATIC)] {
            let files = fs::read_dir(root.join(folder)).unwrap();
            let files = files.map(|file| file.unwrap().path());
            let text = |path: std::path::PathBuf| {
                let name = path.file_name().unwrap().to_str().unwrap();
                (name.to_owned(), fs::read_to_string(&path).unwrap())
            };
            let files: BTreeMap<_, _> = files.map(text).collect();
            let embedded = embedded.iter();
            let embedded = embedded.map(|(name, text)| ((*name).into(), (*text).into()));
            assert_eq!(files, embedded.collect(), "{folder}");
        }
    }
}
