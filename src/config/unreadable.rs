//! A setting of the wrong type, reported in the words of Rocket.toml and without a secret.

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

/// The key, whose path figment tells from the table or from the root.
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

/// What figment expects, in other words.
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

/// A parser of TOML quotes the line, which may have a secret.
fn without_snippet(text: &str) -> String {
    let is_quoted = |line: &str| {
        let (margin, _) = line.split_once('|').unwrap_or(("-", ""));
        margin.trim().chars().all(|letter| letter.is_ascii_digit())
    };
    let lines: Vec<_> = text.lines().filter(|line| !is_quoted(line)).collect();
    lines.join(": ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use rocket::figment::Figment;
    use rocket::figment::providers::{Format, Toml};

    use crate::config::{Config, DatabaseConfig};

    fn refusal(toml: &str) -> String {
        let figment = Figment::from(Toml::string(toml));
        let read = Config::read(&figment);
        let read = read.and_then(|config| DatabaseConfig::read(&figment, &config.database));
        read.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn no_refusal_has_a_secret() {
        for (toml, words) in [
            (
                "[session]\nformat = \"express\"\nsecrets = [1, \"S3CRET\"]",
                "session.secrets cannot be used: one of its values is no text; write [\"…\"]",
            ),
            ("[session]\nsecrets = { new = \"S3CRET\" }", "write [\"…\"]"),
            ("[session]\nsecrets = [[\"S3CRET\"]]", "write [\"…\"]"),
            (
                "[session]\nevents_key = [\"S3CRET\"]",
                "session.events_key cannot be used: it is a list; write a text",
            ),
            (
                "[session]\nevents_key = 73237",
                "session.events_key cannot be used: it is a number; write a text",
            ),
            (
                "[databases]\napp = \"mysql://a:S3CRET@h/b\"",
                "databases.app cannot be used: it is a text; write [default.databases.app]",
            ),
            (
                "[databases]\napp = [\"mysql://a:S3CRET@h/b\"]",
                "databases.app cannot be used: it is a list; write [default.databases.app]",
            ),
            (
                "[databases.app]\nurl = [\"mysql://a:S3CRET@h/b\"]",
                "databases.app.url cannot be used: it is a list; write a text in quotes",
            ),
            (
                "[databases.app]\nurl = \"memory:\"\npool_size = \"mysql://a:S3CRET@h/b\"",
                "databases.app.pool_size cannot be used: it is a text",
            ),
            (
                "session = \"{secrets=[\\\"S3CRET}\"",
                "write [default.session]",
            ),
            (
                "[session]\nsecrets = [\"S3CRET]\n",
                "session cannot be used: TOML parse error",
            ),
            (
                "[session]\ndatabase = \"mysql://a:S3CRET@h/b\"",
                "session.database is a URL",
            ),
            (
                "[session]\nusers = \"mysql://a:S3CRET@h/b\"",
                "session.users is a URL",
            ),
        ] {
            let refusal = refusal(toml);
            assert!(refusal.contains(words), "{toml}: {refusal}");
            assert!(
                !refusal.contains("S3CRET") && !refusal.contains("73237"),
                "{refusal}"
            );
            assert!(!refusal.contains('\n'), "{refusal}");
        }
    }

    #[test]
    fn one_secret_needs_no_list() {
        let read = |secrets: &str| {
            let toml = format!("[session]\nformat = \"express\"\nsecrets = {secrets}");
            Config::read(&Figment::from(Toml::string(&toml)))
                .unwrap()
                .secrets
        };
        let (one, list) = (read("\"keyboard cat\""), read("[\"keyboard cat\"]"));
        assert_eq!(one.sign("id"), list.sign("id"));
    }

    #[test]
    fn a_refusal_has_the_words_of_the_settings() {
        for (setting, words) in [
            (
                "events = true",
                "it is true; write \"off\", \"stdout\" or \"stderr\"",
            ),
            (
                "format = 1",
                "it is the number 1; write \"native\" or \"express\"",
            ),
            (
                "on_gone = []",
                "it is a list; write \"ignore\" or \"unauthorized\"",
            ),
            (
                "client_address = 1",
                "write \"off\", \"truncated\" or \"full\"",
            ),
            (
                "cookie = \"id\"",
                "it is the text \"id\"; write a table, [default.session.cookie]",
            ),
            (
                "cookie.same_site = 1",
                "write \"strict\", \"lax\" or \"none\"",
            ),
            (
                "cookie.priority = 1",
                "write \"low\", \"medium\" or \"high\"",
            ),
            (
                "cookie.http_only = \"yes\"",
                "it is the text \"yes\"; write true or false",
            ),
            (
                "trusted_origins = \"https://a.example\"",
                "write a list, such as [\"…\"]",
            ),
            (
                "trusted_proxies = \"127.0.0.1\"",
                "write a list, such as [\"…\"]",
            ),
            (
                "cleanup_batch = -1",
                "it is the number -1; write a whole number",
            ),
            ("columns = 1", "write a table"),
            (
                "trusted_proxies = [\"10.0.0.0/8\"]",
                "\"10.0.0.0/8\" is a network and no IP address; write that of each proxy: \
                 [\"10.0.0.1\"]",
            ),
            (
                "trusted_proxies = [\"127.0.0.1\", \"proxy.example\"]",
                "\"proxy.example\" is no IP address; write the address of each proxy: [\"127.0.0.1\"]",
            ),
        ] {
            let refusal = refusal(&format!("[session]\n{setting}"));
            let key = setting.split(' ').next().unwrap();
            let starts = format!("session.{key} cannot be used: ");
            assert!(refusal.starts_with(&starts), "{refusal}");
            assert!(refusal.contains(words), "{setting}: {refusal}");
        }
    }
}
