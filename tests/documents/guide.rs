//! The guides name every option and every setting.

use std::collections::BTreeMap;

const GUIDE: &str = include_str!("../../src/guide/coming_from_express.md");
const SETTINGS: &str = include_str!("../../src/guide/settings.md");

const EXPRESS_SESSION: &[&str] = &[
    // Options.
    "cookie",
    "cookie.domain",
    "cookie.expires",
    "cookie.httpOnly",
    "cookie.maxAge",
    "cookie.partitioned",
    "cookie.path",
    "cookie.priority",
    "cookie.sameSite",
    "cookie.secure",
    "genid",
    "name",
    "key",
    "proxy",
    "resave",
    "rolling",
    "saveUninitialized",
    "secret",
    "store",
    "unset",
    // The request and its session.
    "req.session",
    "req.sessionID",
    "req.sessionStore",
    "session.id",
    "session.cookie",
    "session.cookie.maxAge",
    "session.cookie.originalMaxAge",
    "session.cookie.expires",
    "session.cookie.data",
    "session.cookie.serialize()",
    "session.cookie.toJSON()",
    "session.touch()",
    "session.resetMaxAge()",
    "session.save()",
    "session.reload()",
    "session.destroy()",
    "session.regenerate()",
    // Methods and events of a store.
    "store.get()",
    "store.set()",
    "store.destroy()",
    "store.touch()",
    "store.all()",
    "store.length()",
    "store.clear()",
    "store.regenerate()",
    "store.load()",
    "store.createSession()",
    "store.generate()",
    "ENOENT",
    "disconnect",
    "connect",
    "MemoryStore",
];

const MEMORYSTORE: &[&str] = &[
    "checkPeriod",
    "max",
    "ttl",
    "dispose",
    "stale",
    "noDisposeOnSet",
    "serializer",
    "prune()",
    "startInterval()",
    "stopInterval()",
];

const EXPRESS_MYSQL_SESSION: &[&str] = &[
    "host",
    "port",
    "user",
    "password",
    "database",
    "waitForConnections",
    "connectionLimit",
    "maxIdle",
    "idleTimeout",
    "queueLimit",
    "clearExpired",
    "checkExpirationInterval",
    "expiration",
    "createDatabaseTable",
    "endConnectionOnClose",
    "disableTouch",
    "schema.tableName",
    "schema.columnNames",
    "charset",
    "get()",
    "set()",
    "touch()",
    "destroy()",
    "all()",
    "length()",
    "clear()",
    "close()",
    "clearExpiredSessions()",
    "setExpirationInterval()",
    "clearExpirationInterval()",
    "createDatabaseTable()",
    "onReady()",
    "query()",
    "promiseAllSeries()",
];

const OTHERS: &[&str] = &[
    // connect-session-knex.
    "knex",
    "tableName",
    "sidFieldName",
    "createTable",
    "cleanupInterval",
    "onDbCleanupError",
    // connect-session-sequelize.
    "db",
    "table",
    "modelKey",
    "extendDefaultFields",
    "sync()",
    "startExpiringSessions()",
    "stopExpiringSessions()",
    // passport.
    "authenticate()",
    "session",
    "serializeUser()",
    "deserializeUser()",
    "req.user",
    "req.isAuthenticated()",
    "req.login()",
    "req.logout()",
    "keepSessionInfo",
    "failureRedirect",
    "failureMessage",
    "failureFlash",
    "successRedirect",
    "successFlash",
    "successMessage",
    "successReturnToOrRedirect",
    "req.session.returnTo",
    "req.isUnauthenticated()",
    // Packages beside them.
    "req.flash()",
    "req.csrfToken()",
    "res.locals",
    "multer()",
    "ensureLoggedIn()",
    "supertest",
    "cookie-parser",
    // connect-redis.
    "client",
    "prefix",
    "disableTTL",
    "scanCount",
    "serializer",
    "ids()",
];

#[test]
fn the_guide_names_every_express_option_and_method() {
    let table = names();
    let all = [EXPRESS_SESSION, MEMORYSTORE, EXPRESS_MYSQL_SESSION, OTHERS].concat();
    let missing: Vec<_> = all
        .iter()
        .filter(|name| !table.contains_key(**name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let unanswered: Vec<_> = table.iter().filter(|(_, here)| here.is_empty()).collect();
    assert!(unanswered.is_empty(), "{unanswered:?}");
}

#[test]
fn every_setting_in_the_guide_exists() {
    let (settings, names) = (settings(), names());
    let is_path = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphabetic() || "._".contains(c))
    };
    let spans = prose(GUIDE).flat_map(spans);
    let paths = spans.map(|span| span.split(' ').next().unwrap());
    let paths = paths.filter(|path| is_path(path) && !names.contains_key(path));
    let named: Vec<_> = paths
        .filter_map(|path| path.rsplit_once('.'))
        .filter(|(table, _)| settings.iter().any(|(known, _)| known == table))
        .collect();
    assert!(named.len() > 30, "{named:?}");
    let unknown: Vec<_> = named.iter().filter(|key| !settings.contains(key)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The lines outside the examples.
fn prose(text: &'static str) -> impl Iterator<Item = &'static str> {
    let outside = text.split("\n```").step_by(2);
    outside.flat_map(str::lines)
}

/// The texts between backticks.
fn spans(line: &'static str) -> impl Iterator<Item = &'static str> {
    line.split('`').skip(1).step_by(2)
}

/// The names in the first column of the last table, each with what stands beside it.
fn names() -> BTreeMap<&'static str, &'static str> {
    let (_, table) = GUIDE.split_once("\n| there | here |\n").unwrap();
    let rows = table
        .lines()
        .skip(1)
        .map_while(|line| line.strip_prefix("| "));
    rows.flat_map(|row| {
        let (there, here) = row.split_once(" | ").unwrap();
        spans(there).map(move |name| (name, here.trim_end_matches('|').trim()))
    })
    .collect()
}

/// The tables of settings, and the keys in the first column of each.
fn settings() -> Vec<(&'static str, &'static str)> {
    let sections = SETTINGS.split("\n# `[default.").skip(1);
    sections
        .flat_map(|section| {
            let (table, rows) = section.split_once("]`\n").unwrap();
            let rows = rows.lines().filter_map(|line| line.strip_prefix("| `"));
            rows.map(move |row| (table, row.split('`').next().unwrap()))
        })
        .collect()
}
