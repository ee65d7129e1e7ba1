//! The error for a missing entry of `[default.databases]`.

use rocket::figment::Figment;
use rocket::figment::value::Dict;

use super::Config;
use crate::error::Error;

/// A URL for each feature that reads one.
const EXAMPLES: [(bool, &str); 5] = [
    (cfg!(feature = "sqlite"), "sqlite:app.db"),
    (
        cfg!(feature = "mysql"),
        "mysql://USER:PASSWORD@HOST/DATABASE",
    ),
    (
        cfg!(feature = "postgres"),
        "postgres://USER:PASSWORD@HOST/DATABASE",
    ),
    (cfg!(feature = "redis"), "redis://HOST"),
    (true, "memory:"),
];

/// Returns the error with the names of the entries that exist, since one of them may be meant.
pub(super) fn missing(figment: &Figment, name: &str) -> Error {
    let database = figment.extract_inner("session.database");
    let database = database.unwrap_or(Config::default().database);
    let is_for_users = name != database;
    let setting = match is_for_users {
        true => "session.users",
        false => "session.database",
    };
    let entries: Dict = figment.extract_inner("databases").unwrap_or_default();
    let entries = entries
        .iter()
        .filter(|(_, entry)| entry.as_dict().is_some());
    let others = entries.filter(|(other, _)| !(is_for_users && **other == database));
    let others: Vec<_> = others.map(|(other, _)| format!("{other:?}")).collect();
    let choice = match others.is_empty() {
        true => String::new(),
        false => format!("set {setting} = {}, or ", others.join(" or ")),
    };
    let examples = EXAMPLES.iter().filter(|(is_compiled, _)| *is_compiled);
    let example = examples.map(|(_, url)| *url).next().unwrap_or_default();
    Error::configuration(format!(
        "there is no database {name:?}; {choice}add [default.databases.{name}] with url = {example:?} to Rocket.toml"
    ))
}

#[cfg(test)]
mod tests {
    use rocket::figment::providers::{Format, Toml};

    use super::*;

    fn message(toml: &str, name: &str) -> String {
        let figment = Figment::from(Toml::string(toml));
        let message = missing(&figment, name).to_string();
        let (message, url) = message.split_once(" with url = ").unwrap();
        let scheme = url.trim_start_matches('"').split(':').next().unwrap();
        let is_compiled = match scheme {
            "sqlite" => cfg!(feature = "sqlite"),
            "mysql" => cfg!(feature = "mysql"),
            "postgres" => cfg!(feature = "postgres"),
            "redis" => cfg!(feature = "redis"),
            scheme => scheme == "memory",
        };
        assert!(is_compiled, "{url}");
        message.to_owned()
    }

    #[test]
    fn an_entry_that_is_missing_is_to_be_added_or_one_that_is_there_to_be_named() {
        for (toml, name, expected) in [
            ("", "app", "add [default.databases.app]"),
            (
                "databases.url = \"a.db\"",
                "app",
                "add [default.databases.app]",
            ),
            (
                "databases.notes.url = \"a.db\"",
                "app",
                "set session.database = \"notes\", or add [default.databases.app]",
            ),
            (
                "databases.a.url = \"a.db\"\ndatabases.my-b.url = \"b.db\"\nsession.database = \"c\"",
                "c",
                "set session.database = \"a\" or \"my-b\", or add [default.databases.c]",
            ),
            (
                "databases.app.url = \"memory:\"\nsession.users = \"people\"",
                "people",
                "add [default.databases.people]",
            ),
            (
                "databases.app.url = \"memory:\"\ndatabases.a.url = \"a.db\"\nsession.users = \"people\"",
                "people",
                "set session.users = \"a\", or add [default.databases.people]",
            ),
        ] {
            let expected = format!("there is no database {name:?}; {expected}");
            assert_eq!(message(toml, name), expected, "{toml}");
        }
    }
}
