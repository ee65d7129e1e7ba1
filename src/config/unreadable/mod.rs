//! The error for a setting of the wrong type, in the terms of Rocket.toml and without secrets.

use rocket::figment::error::{Actual, Error as FigmentError, Kind};

use crate::error::Error;

/// Returns the error of a launch for what figment could not read in `table`.
pub(super) fn unreadable(table: &str, error: FigmentError) -> Error {
    let path = path(table, &error.path);
    let is_database = path.starts_with("databases.");
    // A malformed text of the environment is one string with everything in it.
    let is_table = !path.contains('.') || is_database && path.matches('.').count() == 1;
    let is_secret = ["session.secrets", "session.events_key"].iter();
    let is_secret = is_secret.into_iter().any(|key| path.starts_with(key));
    let shown = !(is_table || is_secret || is_database);
    let why = match &error.kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            let found = found_text(found, shown);
            match is_table {
                true => format!("it is {found}; {}", as_table(&path)),
                false => format!("it is {found}; {}", remedy(expected)),
            }
        }
        Kind::Message(text) => without_snippet(text),
        kind => kind.to_string(),
    };
    Error::configuration(format!(
        "{path} cannot be used: {why}; see guide::settings in the documentation"
    ))
}

/// Returns the key's path. Figment reports it from the table or from the root.
fn path(table: &str, path: &[String]) -> String {
    let path = path.join(".");
    match path.strip_prefix(table) {
        Some(rest) if rest.is_empty() || rest.starts_with('.') => path,
        _ if path.is_empty() => table.to_owned(),
        _ => format!("{table}.{path}"),
    }
}

fn found_text(found: &Actual, shown: bool) -> String {
    let kind = match found {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "of another type",
    };
    match found {
        _ if !shown => kind.to_owned(),
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => format!("the number {value}"),
        Actual::Signed(value) => format!("the number {value}"),
        Actual::Float(value) => format!("the number {value}"),
        Actual::Char(value) => format!("the text {:?}", value.to_string()),
        Actual::Str(value) => format!("the text {value:?}"),
        _ => kind.to_owned(),
    }
}

fn as_table(path: &str) -> String {
    match path.starts_with("databases") {
        true => format!("write [default.{path}] with url = \"…\" below it"),
        false => {
            format!(
                "write [default.{path}] with its settings below it, or {{key=value}} in the environment"
            )
        }
    }
}

/// Returns what figment expects, in the terms of Rocket.toml.
fn remedy(expected: &str) -> String {
    let expected = match expected {
        "a string" | "a borrowed string" | "string" => "a text in quotes",
        "a sequence" => "a list, such as [\"…\"]",
        "a map" => "a table",
        "a boolean" => "true or false",
        "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        other => other,
    };
    format!("write {expected}")
}

/// Removes the line that a TOML parser quotes, since it may have a secret.
fn without_snippet(text: &str) -> String {
    let is_quoted = |line: &str| {
        let (margin, _) = line.split_once('|').unwrap_or(("-", ""));
        margin.trim().chars().all(|letter| letter.is_ascii_digit())
    };
    let lines: Vec<_> = text.lines().filter(|line| !is_quoted(line)).collect();
    lines.join(": ")
}

#[cfg(test)]
mod tests;
