//! Settings of wrong types, and what their errors show.

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
            "[session]\nformat = \"express\"\nsecrets = \"S3CRET\"\ntoken_from = [\"bearer\"]",
            "session.token_from has \"bearer\", which the format \"express\" does not have",
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
            "token_from = \"bearer\"",
            "it is the text \"bearer\"; write a list, such as [\"…\"]",
        ),
        (
            "token_from = []",
            "it is an empty list; write [\"cookie\"], [\"bearer\"] or [\"cookie\", \"bearer\"]",
        ),
        (
            "token_from = [\"bearer\", \"bearer\"]",
            "it has one word twice; write each once",
        ),
        (
            "trusted_proxies = [\"10.0.0.0/8\", \"10.0.0.1/8\"]",
            "\"10.0.0.1/8\" is one address of a network; write the network \"10.0.0.0/8\"",
        ),
        (
            "trusted_proxies = [\"10.0.0.0/64\"]",
            "\"10.0.0.0/64\" has to end with a number from /1 to /32",
        ),
        (
            "trusted_proxies = [\"127.0.0.1\", \"proxy.example\"]",
            "\"proxy.example\" is no IP address and no network; write those of the proxies: \
             [\"127.0.0.1\", \"10.0.0.0/8\"]",
        ),
    ] {
        let refusal = refusal(&format!("[session]\n{setting}"));
        let key = setting.split(' ').next().unwrap();
        let starts = format!("session.{key} cannot be used: ");
        assert!(refusal.starts_with(&starts), "{refusal}");
        assert!(refusal.contains(words), "{setting}: {refusal}");
    }
}
