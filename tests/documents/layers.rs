//! The rooms of the library import in one direction, and each crate beneath is used in its own room.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with those that it may import; `*` for all.
const ROOMS: &[(&str, &str)] = &[
    ("error", ""),
    ("token", "error"),
    ("record", "token"),
    ("clock", "error"),
    ("state", GROUND),
    ("request", GROUND),
    ("events", "error token record clock request"),
    ("store", GROUND),
    ("express", "error token record clock store state"),
    (
        "config",
        "error token record clock store state request events express",
    ),
    (
        "engine",
        "error token record clock store state request events express config",
    ),
    ("csrf", "error token record clock request events engine"),
    ("session", BELOW_SESSION),
    (
        "live",
        "error token record clock store state request events express config engine csrf session",
    ),
    ("fairing", "*"),
    ("lib", "*"),
    ("guide", "*"),
];
const GROUND: &str = "error token record clock";
const BELOW_SESSION: &str =
    "error token record clock store state request events express config engine csrf";

/// A beginning of a path, where it may stand, and what of it may stand everywhere.
const CRATES: &[(&str, &[&str], &[&str])] = &[
    (
        "rocket::",
        &["request", "csrf", "session", "fairing", "live", "config"],
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

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The lines of a file that are neither comments nor tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let text = text.split("#[cfg(test)]\nmod tests {").next();
    let lines = text.unwrap_or_default().lines();
    lines.filter(|line| !line.trim_start().starts_with("//"))
}

/// The faults of a file with this path in `src`.
fn faults(path: &str, text: &str) -> Vec<String> {
    let room = path.split(['/', '.']).next().unwrap_or_default();
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{path}: no room is called {room}")];
    };
    let mut faults = Vec::new();
    for line in code(text) {
        for path_in_crate in line.split("crate::").skip(1) {
            let end = path_in_crate.find(|it: char| !it.is_alphanumeric() && it != '_');
            let other = &path_in_crate[..end.unwrap_or(path_in_crate.len())];
            let is_room = ROOMS.iter().any(|(name, _)| *name == other);
            let may = *allowed == "*" || allowed.split(' ').any(|it| it == other);
            if is_room && other != room && !may {
                faults.push(format!("{path} imports {other}: {line}"));
            }
        }
        for (name, places, everywhere) in CRATES {
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 90, "{}", files.len());
    let mut found = Vec::new();
    for file in files.iter().filter(|it| !it.ends_with("tests.rs")) {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap();
        found.extend(faults(path, &fs::read_to_string(file).unwrap()));
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn each_rule_has_a_line_that_breaks_it() {
    for (path, line) in [
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
        ("live.rs", "use crate::fairing::Sessions;"),
        ("helpers.rs", ""),
    ] {
        assert_eq!(
            faults(path, &format!("{line}\n")).len(),
            1,
            "{path}: {line}"
        );
    }
    for (path, line) in [
        ("session/mod.rs", "use crate::engine::context::Context;"),
        ("engine/threads.rs", "use rocket::tokio::sync::oneshot;"),
        ("error.rs", "/// See [`crate::Session`], [`crate::engine`]."),
        ("lib.rs", "pub use self::store::redis::RedisStore;"),
    ] {
        assert_eq!(faults(path, line), Vec::<String>::new(), "{path}: {line}");
    }
}
