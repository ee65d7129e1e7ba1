//! Looks in everything that the application stores and logs for secrets.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use rocket::serde::json::json;
use rocket_diesel_session::Token;

use testing::accounts::PAGES;
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::{Answer, Visitor};
use testing::{on_every_backend, secrets};

on_every_backend!(no_secret_is_in_the_database_or_in_any_log);

/// The secrets to look for.
const QUERY: &str = "token=query-secret";

/// One that nobody has yet, to be looked for.
fn password() -> String {
    let letters = std::iter::repeat_with(fastrand::alphanumeric);
    let password: String = letters.take(24).collect();
    secrets::note(&password);
    password
}

fn get(visitor: &Visitor, path: &str) -> Answer {
    visitor.get(&format!("{path}?{QUERY}"))
}

/// Sends a page's form.
fn post(visitor: &Visitor, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    get(visitor, page);
    visitor.post(&format!("{path}?{QUERY}"), fields)
}

/// The addresses that programs use.
fn api(path: &str) -> String {
    format!("/api/v1{path}?{QUERY}")
}

fn token(visitor: &Visitor) -> Token {
    Token::parse(&visitor.cookie("id").unwrap()).unwrap()
}

/// Uses all pages as people do; `watch` looks at the state in between.
fn walk_through_the_pages(application: &Application, email: &str, watch: &mut dyn FnMut(&Token)) {
    let [password, new, wrong, misplaced] = [(); 4].map(|()| password());
    let visitor = application.visitor();
    for page in [
        "/",
        "/login",
        "/register",
        "/nowhere",
        "/home",
        "/static/style.css",
    ] {
        get(&visitor, page);
    }
    let name = [("first_name", "Ada"), ("last_name", "Lovelace")];
    let account = |password| [&name[..], &[("email", email), ("password", password)]].concat();
    let short = post(&visitor, "/register", "/register", &account(&password[..7]));
    assert_eq!(short.status, 422);
    let registered = post(&visitor, "/register", "/register", &account(&password));
    assert_eq!(registered.status, 303, "{registered:?}");
    watch(&token(&visitor));
    for page in PAGES {
        assert_eq!(get(&visitor, page).status, 200, "{page}");
    }
    let confirm = "/account/confirm";
    let again = post(&visitor, confirm, confirm, &[("password", &wrong)]);
    assert_ne!(again.status, 200);
    let place = [("_method", "put"), ("location", "London")];
    let moved = post(&visitor, "/account", "/account/location", &place);
    assert_eq!(moved.status, 303);
    for current in [&wrong, &password] {
        let fields = [("current", &**current), ("new", &*new)];
        post(&visitor, "/account/password", "/account/password", &fields);
    }
    watch(&token(&visitor));
    post(&visitor, "/account", "/logout", &[]);

    let visitor = application.visitor();
    for (email, password) in [
        (email, &*wrong),
        (&*misplaced, &*wrong),
        ("nobody@example.org", &*wrong),
        (email, &*new),
    ] {
        let fields = [("email", email), ("password", password), ("remember", "on")];
        post(&visitor, "/login", "/login", &fields);
    }
    assert_eq!(get(&visitor, "/home").status, 200, "signed in at last");
    watch(&token(&visitor));
    let devices = "/account/devices";
    post(&visitor, devices, "/account/devices/00000000/end", &[]);
    post(&visitor, devices, "/account/devices/end_others", &[]);
    watch(&token(&visitor));
}

/// Sends unreadable forms and JSON, with a password in each.
fn send_what_cannot_be_read(application: &Application) {
    let password = password();
    let visitor = application.visitor();
    for fields in [
        &[
            ("email", "a@b.c"),
            ("password", &*password),
            ("remember", "perhaps"),
        ][..],
        &[("password", &*password), ("password", &*password)][..],
        &[
            ("email", &*password),
            ("filler", &*"x".repeat(40_000)),
            ("password", &*password),
        ][..],
        &[("password[a][b]", &*password)][..],
    ] {
        post(&visitor, "/login", "/login", fields);
        post(&visitor, "/register", "/register", fields);
    }
    let good = json!({ "email": "a@b.c", "password": password }).to_string();
    for body in [
        good[..good.len() - 1].to_owned(),
        good.replace('}', ",}"),
        good.replace("\"a@b.c\"", "7"),
        json!([password]).to_string(),
        json!(password).to_string(),
        json!({ "password": [password] }).to_string(),
        json!({ "current": 1, "new": password }).to_string(),
        format!("{good}{}", " ".repeat(33_000)),
    ] {
        for path in ["/signin", "/signup"] {
            let status = visitor.post_json(&api(path), &body).status;
            assert!((400..500).contains(&status), "{status}: {body:.80}");
        }
    }
    for cookie in [format!("id={password}"), format!("id={password}; id=x")] {
        get(&application.visitor_with(&cookie), "/home");
    }
}

/// Uses the API as programs do.
fn walk_through_the_api(application: &Application, email: &str, watch: &mut dyn FnMut(&Token)) {
    let [password, new, wrong] = [(); 3].map(|()| password());
    let program = application.visitor();
    let account = json!({
        "first_name": "Grace", "last_name": "Hopper", "email": email, "password": password,
    });
    let registered = program.post_json(&api("/signup"), &account.to_string());
    assert_eq!(registered.status, 201, "{registered:?}");
    for current in [&wrong, &password] {
        let change = json!({ "current": current, "new": new }).to_string();
        program.put_json(&api("/password"), &change);
        let unreadable = change.replace('}', ",}");
        let refused = program.put_json(&api("/password"), &unreadable);
        assert_eq!(refused.status, 400);
    }
    for path in ["/me", "/devices"] {
        assert_eq!(program.get(&api(path)).status, 200, "{path}");
    }
    watch(&token(&program));
    program.post_json(&api("/signout"), "{}");
    for (email, password) in [(email, &wrong), (email, &new), (&*wrong, &wrong)] {
        let credentials = json!({ "email": email, "password": password });
        program.post_json(&api("/signin"), &credentials.to_string());
    }
    program.delete(&api("/devices/00000000"));
    program.delete(&api("/devices"));
    watch(&token(&program));
}

/// Returns all stored data: files including deleted content, or the text of each row.
fn stored(database: &TestDatabase) -> Vec<u8> {
    let statements = match database.url.split(':').next().unwrap() {
        "sqlite" => return files_of(Path::new(database.address())),
        "mysql" => {
            "SELECT CONCAT('SELECT CONVERT(CONCAT_WS(''|'', ', \
             GROUP_CONCAT(CONCAT('`', column_name, '`')), \
             ') USING utf8mb4) AS line FROM `', table_name, '`') AS line \
             FROM information_schema.columns WHERE table_schema = DATABASE() GROUP BY table_name"
        }
        _ => {
            "SELECT 'SELECT t::text AS line FROM ' || quote_ident(table_name) || ' t' AS line \
             FROM information_schema.tables WHERE table_schema = 'public'"
        }
    };
    let statements = database.lines(statements);
    assert!(statements.len() >= 3, "{statements:?}");
    let rows = statements.iter().flat_map(|sql| database.lines(sql));
    rows.collect::<Vec<_>>().join("\n").into_bytes()
}

/// Returns the database file and the files that SQLite keeps beside it.
fn files_of(path: &Path) -> Vec<u8> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let own = files.filter(|file| {
        file.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with(name)
    });
    own.flat_map(|file| fs::read(file).unwrap()).collect()
}

/// Returns all 8-byte pieces of the secrets.
fn pieces(secrets: &[String]) -> HashSet<[u8; 8]> {
    let bytes = secrets.iter().map(String::as_bytes);
    let windows = bytes.flat_map(|secret| secret.windows(8));
    windows.map(|piece| piece.try_into().unwrap()).collect()
}

fn assert_none_in(place: &str, text: &[u8], pieces: &HashSet<[u8; 8]>) {
    for (at, window) in text.windows(8).enumerate() {
        if pieces.contains(window) {
            let around = &text[at.saturating_sub(100)..text.len().min(at + 50)];
            let around = String::from_utf8_lossy(around);
            panic!("{place} has a part of a secret: {around}");
        }
    }
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len())
        .any(|window| window == part.as_bytes())
}

fn no_secret_is_in_the_database_or_in_any_log(database: &TestDatabase) {
    for level in ["off", "critical", "normal"] {
        let application = Application::start_with(database, &[("ROCKET_LOG_LEVEL", level)]);
        let mut all_stored = Vec::new();
        let mut watch = |token: &Token| {
            let stored = stored(database);
            let key = token.key();
            assert!(
                contains(&stored, key.as_str()),
                "what is looked for would be found"
            );
            all_stored.extend(stored);
        };
        let people = format!("ada-{level}@example.org");
        walk_through_the_pages(&application, &people, &mut watch);
        let programs = format!("grace-{level}@example.org");
        walk_through_the_api(&application, &programs, &mut watch);
        send_what_cannot_be_read(&application);
        all_stored.extend(stored(database));

        let printed = application.output();
        let secrets = secrets::noted();
        assert!(secrets.len() >= 46, "{}", secrets.len());
        let pieces = pieces(&secrets);
        assert!(contains(&all_stored, &people) && contains(&all_stored, &programs));
        assert_none_in("the database", &all_stored, &pieces);
        assert_none_in("the log", printed.as_bytes(), &pieces);

        let emitted = printed.lines().filter(|line| line.starts_with('{'));
        let emitted: Vec<_> = emitted.collect();
        assert!(emitted.len() > 10, "{printed}");
        assert!(!emitted.concat().contains("query-secret"), "{emitted:?}");
        assert!(
            level != "off" || !printed.contains("query-secret"),
            "{printed}"
        );
    }
}
