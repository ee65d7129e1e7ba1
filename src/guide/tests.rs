//! The settings as the library itself knows them, against those of the guide.

use std::collections::BTreeMap;

use rocket::figment::Figment;
use rocket::figment::value::Value;

use crate::config::{Config, DatabaseConfig};
use crate::state::Schema;

/// The default that the guide tells of each key, by table.
fn documented(table: &str) -> BTreeMap<&'static str, &'static str> {
    let sections = include_str!("settings.md").split("\n# ").skip(1);
    let heading = format!("`[default.{table}]`\n");
    let section = sections.filter_map(|section| section.strip_prefix(&*heading));
    let rows = section.flat_map(|section| section.lines().skip_while(|line| !line.contains("---")));
    rows.filter_map(|row| {
        let mut columns = row.strip_prefix("| ")?.split(" | ");
        let key = columns.next()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((key, columns.next()?))
    })
    .collect()
}

fn figment(key: &str, value: &str) -> Figment {
    let value: Value = value.parse().unwrap();
    let database = ("databases.NAME.url", "memory:");
    Figment::new().merge(database).merge((key, value))
}

/// The keys that the library expects, as its error for an unknown key lists them.
fn expected(table: &str) -> Vec<String> {
    let figment = figment(&format!("{table}.nonsense"), "1");
    let refusal = match table {
        "databases.NAME" => DatabaseConfig::read(&figment, "NAME").map(drop),
        _ => Config::read(&figment).map(drop),
    };
    let refusal = refusal.unwrap_err().to_string();
    let (_, expected) = refusal.split_once("expected").unwrap();
    let is_key = |word: &&str| !word.is_empty() && !word.contains([' ', ',']);
    let keys: Vec<String> = expected
        .split('`')
        .filter(is_key)
        .map(str::to_owned)
        .collect();
    assert!(keys.len() > 3, "{refusal}");
    keys
}

/// What the settings come to.
fn outcome(key: &str, figment: &Figment) -> String {
    let config = Config::read(figment).unwrap();
    match key {
        // They follow from others where they are left out.
        "touch_interval" | "remember_timeout" => format!("{:?}", config.limits(Schema::default())),
        "table" => format!("{:?}", config.table()),
        "name" => config.cookie.full_name(),
        _ => {
            let database = DatabaseConfig::read(figment, "NAME").unwrap();
            format!("{config:?} {database:?}")
        }
    }
}

#[test]
fn the_guide_names_every_setting_and_its_default() {
    let mut checked = 0;
    for table in ["session", "session.cookie", "databases.NAME"] {
        let documented = documented(table);
        for key in expected(table) {
            let default = documented.get(&*key);
            let default = default.unwrap_or_else(|| panic!("{table}.{key} is not in the guide"));
            let literal = default
                .strip_prefix('`')
                .and_then(|it| it.strip_suffix('`'));
            if let Some(literal) = literal {
                let settings = figment(&format!("{table}.{key}"), literal);
                let left_out = figment("session.cookie.path", "\"/\"");
                assert_eq!(
                    outcome(&key, &settings),
                    outcome(&key, &left_out),
                    "{table}.{key}"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn the_guide_names_every_column() {
    let documented = documented("session.columns");
    let refusal = Config::read(&figment("session.columns.nonsense", "x")).unwrap_err();
    let refusal = refusal.to_string();
    let (_, columns) = refusal.split_once("the columns are ").unwrap();
    for column in columns.split(", ") {
        let default = format!("`\"{column}\"`");
        assert_eq!(documented.get(column), Some(&&*default), "{column}");
    }
}
