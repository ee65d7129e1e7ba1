//! Finds the file that an SQLite URL names, as Rocket's own pools do.
//!
//! Diesel and sqlx take `sqlite://FILE` for `file:FILE`, whose path is percent-encoded.

use std::borrow::Cow;
use std::env::current_dir;
use std::fs::canonicalize;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::server::is_server;
use super::url::{OF_SQLITE, parameters};

/// Returns the path or `file:` URI that SQLite opens, or `None` for other databases.
pub(super) fn name(url: &str) -> Option<Cow<'_, str>> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        return Some(format!("file:{path}").into());
    }
    if let Some(name) = url.strip_prefix("sqlite:") {
        return Some(match has_parameters(name) {
            true => format!("file:{name}").into(),
            false => name.into(),
        });
    }
    let (scheme, _) = url.split_once(':').unwrap_or_default();
    let is_path = scheme.is_empty() || scheme == "file" || scheme.contains('/');
    (is_path && !is_scheme(url)).then(|| url.into())
}

/// Returns `true` if a word is a scheme without its colon, and not a file.
pub(super) fn is_scheme(word: &str) -> bool {
    is_server(word) || ["memory", "sqlite", "unix"].contains(&word)
}

/// Returns `true` if sqlx reads the rest of a name as parameters.
fn has_parameters(name: &str) -> bool {
    let is_known = |parameter: &str| OF_SQLITE.contains(&parameter.split('=').next().unwrap_or(""));
    let mut parameters = parameters(name).peekable();
    !name.starts_with("file:") && parameters.peek().is_some() && parameters.all(is_known)
}

/// Returns the URL with the resolved path, and a remark if Rocket's own pools resolve it differently.
///
/// Rocket's pools take a relative path from the working directory, and open it before the sessions
/// do: a file that is there is shared. Otherwise the path is taken from `folder`, which has the
/// configuration file.
pub(super) fn resolve(url: &str, folder: Option<&Path>) -> (String, Option<String>) {
    let Some(name) = name(url) else {
        return (url.to_owned(), None);
    };
    let (path, here) = (PathBuf::from(file_of(&name)), format!("sqlite:{name}"));
    let (Some(folder), false) = (folder, path.is_absolute()) else {
        return (here, misread(url));
    };
    let beside = format!("sqlite:{}", within(folder, &name));
    let cwd = current_dir().unwrap_or_default();
    if canonicalize(folder).ok() == canonicalize(&cwd).ok() {
        return (beside, misread(url));
    }
    let [theirs, ours] = [&cwd, folder].map(|folder| folder.join(&path).display().to_string());
    let is_there = Path::new(&theirs).exists();
    let remedy =
        "write an absolute path, or start the application in the folder of its configuration file";
    match (is_there, is_ours_alone(url)) {
        (true, false) => {
            let remark = format!(
                "the sessions are in {theirs}, as Rocket's own pools read it, and not in {ours}"
            );
            (here, Some(format!("{remark}; {remedy}")))
        }
        (false, true) => (beside, misread(url)),
        // sqlx reads a URL that is ours alone otherwise, too.
        _ => {
            let remark =
                format!("the sessions are in {ours}, but Rocket's own pools read {theirs}");
            (beside, Some(format!("{remark}; {remedy}")))
        }
    }
}

fn is_ours_alone(url: &str) -> bool {
    url.starts_with("sqlite:") && !url.starts_with("sqlite://")
}

/// Returns a remark if a file has the whole URL as its name, which `rocket_sync_db_pools` creates.
fn misread(url: &str) -> Option<String> {
    (is_ours_alone(url) && Path::new(url).exists()).then(|| {
        let both = match url.contains('?') {
            true => url.replacen("sqlite:", "sqlite://", 1),
            false => url.replacen("sqlite:", "", 1),
        };
        format!(
            "a file of this whole name is in the working directory, as Rocket's own pools make it; write {both:?}, \
             which both read alike"
        )
    })
}

/// Returns a path or URI whose relative path is resolved from `folder`.
fn within(folder: &Path, name: &str) -> String {
    match name.strip_prefix("file:") {
        None => folder.join(name).display().to_string(),
        Some(path) => {
            let folder = folder.display().to_string();
            let folder = utf8_percent_encode(&folder, &SPECIAL);
            format!("file:{folder}/{path}")
        }
    }
}

/// The characters that are special in the path of a URI.
const SPECIAL: AsciiSet = CONTROLS.add(b'%').add(b'?').add(b'#');

/// Returns the path of the file in a path or URI.
pub(super) fn file_of(name: &str) -> String {
    let Some(uri) = name.strip_prefix("file:") else {
        return name.to_owned();
    };
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let path = match path.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or("", |path| &rest[path..]),
        None => path,
    };
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}
