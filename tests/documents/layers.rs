//! Rooms import in one direction, and each dependency is used in its room, in the library and in the application.

use crate::sources::{Source, code, lines, sources};

/// The rules of one crate.
struct Layers {
    /// The sources, below the root of the repository.
    sources: &'static str,
    /// Each room with the rooms, or single modules, that it may import; `*` for all.
    rooms: &'static [(&'static str, &'static str)],
    /// The beginning of a path, where it may stand, and what of it may stand everywhere.
    dependencies: &'static [(
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
    )],
}

const LIBRARY: Layers = Layers {
    sources: "src",
    rooms: LIBRARY_ROOMS,
    dependencies: LIBRARY_DEPENDENCIES,
};

const APPLICATION: Layers = Layers {
    sources: "app/src",
    rooms: &[
        ("metrics", ""),
        ("passwords", "metrics"),
        ("settings", "passwords"),
        ("db", ""),
        ("accounts", "metrics passwords settings db"),
        ("web", "settings accounts"),
        (
            "cli",
            "settings db accounts web::browser_name web::time_text",
        ),
        ("serve", "metrics settings db accounts web"),
        ("lib", "*"),
        ("main", "*"),
    ],
    dependencies: &[
        (
            "rocket::",
            &["settings", "accounts", "web", "cli", "serve"],
            &["rocket::serde", "rocket::tokio", "rocket::error!"],
        ),
        ("rocket_dyn_templates::", &["web"], &[]),
        ("diesel::", &["db"], &[]),
        ("pbkdf2::", &["passwords"], &[]),
        ("clap::", &["cli/mod.rs"], &[]),
        ("rustix::", &["serve"], &[]),
        ("metrics_exporter_prometheus::", &["serve/exporter.rs"], &[]),
    ],
};

const LIBRARY_ROOMS: &[(&str, &str)] = &[
    ("error", ""),
    ("metrics", ""),
    ("token", "error"),
    ("record", "token"),
    ("clock", "error"),
    ("state", GROUND),
    ("request", GROUND),
    ("events", "error token record clock metrics request"),
    ("store", GROUND),
    ("express", "error token record clock store state"),
    (
        "config",
        "error token record clock store state request events express",
    ),
    (
        "engine",
        "error metrics token record clock store state request events express config",
    ),
    ("csrf", "error token record clock request events engine"),
    ("session", BELOW_SESSION),
    (
        "live",
        "error metrics token record clock store state request events express config engine csrf session",
    ),
    ("local", "error state session"),
    ("fairing", "*"),
    ("lib", "*"),
    ("guide", "*"),
];
const GROUND: &str = "error metrics token record clock";
const BELOW_SESSION: &str =
    "error metrics token record clock store state request events express config engine csrf";

const LIBRARY_DEPENDENCIES: &[(&str, &[&str], &[&str])] = &[
    (
        "rocket::",
        &[
            "request", "csrf", "session", "fairing", "live", "local", "config",
        ],
        &["rocket::tokio", "rocket::data::ByteUnit"],
    ),
    (
        "diesel::",
        &["store/sql", "engine/database", "session/save.rs"],
        &[],
    ),
    (
        "redis::",
        &["store/redis"],
        &["store::redis::", "self::redis::RedisStore"],
    ),
    (
        "crate::store::sql",
        &[
            "store/sql",
            "express/table.rs",
            "engine",
            "config",
            "fairing",
            "session",
            "lib.rs",
        ],
        &[],
    ),
    (
        "crate::store::redis",
        &["store/redis", "fairing", "lib.rs"],
        &[],
    ),
];

/// The paths behind each `crate::`, those of a group one by one.
fn imports(text: &str) -> Vec<String> {
    let code: String = code(text).flat_map(|line| [line.trim(), " "]).collect();
    let mut imports = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let is_in_path = |it: char| it.is_alphanumeric() || "_:".contains(it);
        let (path, rest) = rest.split_at(rest.find(|it| !is_in_path(it)).unwrap_or(rest.len()));
        match rest.strip_prefix('{').and_then(|it| it.split('}').next()) {
            Some(names) => imports.extend(names.split(',').map(|it| path.to_owned() + it.trim())),
            None => imports.push(path.to_owned()),
        }
    }
    imports
}

/// The faults of a file with this path below the sources.
fn faults(layers: &Layers, path: &str, text: &str) -> Vec<String> {
    let room = path.split(['/', '.']).next().unwrap_or_default();
    let Some((_, allowed)) = layers.rooms.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{path}: no room is called {room}")];
    };
    let mut faults = Vec::new();
    for import in imports(text) {
        let other = import.split("::").next().unwrap_or_default();
        let is_room = layers.rooms.iter().any(|(name, _)| *name == other);
        let may = |item: &str| {
            let rest = import.strip_prefix(item);
            item == "*" || rest.is_some_and(|it| it.is_empty() || it.starts_with("::"))
        };
        if is_room && other != room && !allowed.split(' ').any(may) {
            faults.push(format!("{path} imports {import}"));
        }
    }
    for line in code(text) {
        for (name, places, everywhere) in layers.dependencies {
            let rest = everywhere
                .iter()
                .fold(line.to_owned(), |line, it| line.replace(it, ""));
            let is_used = rest.split(name).count() > 1 && !rest.contains(&format!("_{name}"));
            if is_used && !places.iter().any(|place| path.starts_with(place)) {
                faults.push(format!("{path} uses {name}: {line}"));
            }
        }
    }
    faults
}

#[test]
fn imports_point_up_the_list_of_rooms() {
    for (layers, least) in [(LIBRARY, 90), (APPLICATION, 40)] {
        let files = sources(layers.sources);
        assert!(files.len() > least, "{}: {}", layers.sources, files.len());
        let mut found = Vec::new();
        for Source { path, text } in &files {
            found.extend(faults(&layers, path, text));
        }
        assert_eq!(found, Vec::<String>::new());
    }
}

/// Where the word Express may stand: its room, the settings that choose it, and documents.
const EXPRESS: [&str; 5] = [
    "express/",
    "config/mod.rs",
    "config/format.rs",
    "guide/",
    "lib.rs",
];

fn says_express(path: &str, text: &str) -> bool {
    let may = EXPRESS.iter().any(|place| path.starts_with(place));
    !may && lines(text).any(|line| line.to_ascii_lowercase().contains("express"))
}

#[test]
fn the_word_express_stands_in_its_room_alone() {
    let files = sources("src");
    let found = files.iter().filter(|it| says_express(&it.path, &it.text));
    let found: Vec<_> = found.map(|it| &it.path).collect();
    assert!(found.is_empty(), "{found:?}");
    assert!(says_express(
        "state/limits.rs",
        "/// An Express application adds its own.\n"
    ));
    assert!(!says_express(
        "express/text/mod.rs",
        "pub struct Express;\n"
    ));
}

fn assert_faults(layers: &Layers, count: usize, lines: &[(&str, &str)]) {
    for (path, line) in lines {
        let found = faults(layers, path, &format!("{line}\n"));
        assert_eq!(found.len(), count, "{path}: {line}: {found:?}");
    }
}

#[test]
fn each_rule_has_a_line_that_breaks_it() {
    let broken = [
        ("state/mod.rs", "use crate::store::Store;"),
        ("store/memory.rs", "use crate::engine::Database;"),
        ("csrf/check.rs", "use crate::session::Session;"),
        (
            "clock/mod.rs",
            "    let time = crate::config::Config::read();",
        ),
        ("store/sql/mod.rs", "use rocket::Request;"),
        ("engine/threads.rs", "use diesel::QueryResult;"),
        ("engine/commit.rs", "use redis::Cmd;"),
        ("store/redis/mod.rs", "use crate::store::sql::pool::Bounds;"),
        ("store/sql/mod.rs", "use crate::store::redis::RedisStore;"),
        ("live/mod.rs", "use crate::fairing::Sessions;"),
        ("helpers.rs", ""),
    ];
    assert_faults(&LIBRARY, 1, &broken);
    let kept = [
        ("session/mod.rs", "use crate::engine::context::Context;"),
        ("engine/threads.rs", "use rocket::tokio::sync::oneshot;"),
        ("error.rs", "/// See [`crate::Session`], [`crate::engine`]."),
        ("lib.rs", "pub use self::store::redis::RedisStore;"),
    ];
    assert_faults(&LIBRARY, 0, &kept);
}

#[test]
fn each_rule_of_the_application_has_a_line_that_breaks_it() {
    let broken = [
        ("passwords/slots.rs", "use crate::settings::Settings;"),
        ("settings/mod.rs", "use crate::db::users;"),
        ("db/users.rs", "use crate::accounts::validation;"),
        ("accounts/mod.rs", "use crate::web::layout::Page;"),
        ("web/pages.rs", "use crate::db::users;"),
        ("web/pages.rs", "use crate::passwords::Verdict;"),
        ("cli/output.rs", "use crate::web::layout::Page;"),
        ("cli/output.rs", "use crate::web::time_texts;"),
        ("serve/mod.rs", "    match crate::cli::command() {"),
        ("web/pages.rs", "use crate::{\n    accounts,\n    db,\n};"),
        ("cli/output.rs", "use crate::web::{layout, time_text};"),
        ("passwords/mod.rs", "use rocket::Request;"),
        ("db/users.rs", "use rocket::http::Status;"),
        (
            "accounts/mod.rs",
            "use rocket_dyn_templates::{Template, context};",
        ),
        ("cli/check.rs", "use diesel::prelude::*;"),
        ("accounts/mod.rs", "use pbkdf2::Params;"),
        ("cli/sessions.rs", "use clap::Parser;"),
        ("web/headers.rs", "use rustix::net::shutdown;"),
        ("helpers.rs", ""),
    ];
    assert_faults(&APPLICATION, 1, &broken);
    let kept = [
        (
            "db/users.rs",
            "use rocket_diesel_session::{Database, Error};",
        ),
        ("db/users.rs", "use crate::db::schema::users;"),
        ("passwords/mod.rs", "use rocket::serde::Deserialize;"),
        ("cli/output.rs", "use crate::web::time_text::ago;"),
        (
            "cli/output.rs",
            "use crate::web::{browser_name, time_text};",
        ),
        (
            "lib.rs",
            "        Some(command) => crate::cli::run(command),",
        ),
    ];
    assert_faults(&APPLICATION, 0, &kept);
}
