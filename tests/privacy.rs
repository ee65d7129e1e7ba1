//! What the application leaves behind: nothing that opens a session, and no password.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test panics where it fails"
)]

mod support;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::redirect::Policy;
use rocket::serde::json::json;
use rocket_diesel_session::Token;

use support::application::Application;
use support::database::TestDatabase;
use support::on_every_backend;

on_every_backend!(s18_o4_no_secret_is_in_the_database_or_in_any_log);

/// What no address may be found with.
const QUERY: &str = "token=query-secret";

/// Somebody who goes everywhere and remembers every secret that was given or typed.
struct Visitor<'a> {
    base: &'a str,
    client: Client,
    /// Each with what it is.
    secrets: Vec<(&'static str, String)>,
    /// The token that the last page with a form has.
    form_token: Option<String>,
}

impl<'a> Visitor<'a> {
    fn new(base: &'a str) -> Self {
        let client = Client::builder().redirect(Policy::none());
        Self {
            base,
            client: client.cookie_store(true).build().unwrap(),
            secrets: Vec::new(),
            form_token: None,
        }
    }

    /// The same person with another browser.
    fn change_browser(&mut self) {
        let client = Client::builder().redirect(Policy::none());
        self.client = client.cookie_store(true).build().unwrap();
    }

    fn password(&mut self) -> String {
        let letters = std::iter::repeat_with(fastrand::alphanumeric);
        let password: String = letters.take(24).collect();
        self.secrets.push(("password", password.clone()));
        password
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    fn send(&mut self, request: RequestBuilder) -> (u16, String) {
        let answer = request.send().unwrap();
        for cookie in answer.headers().get_all("Set-Cookie") {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (_, value) = pair.split_once('=').unwrap();
            if !value.is_empty() {
                self.secrets.push(("cookie", value.to_owned()));
            }
        }
        let (status, body) = (answer.status().as_u16(), answer.text().unwrap());
        for after in body.split(r#"name="_token" value=""#).skip(1) {
            let (token, _) = after.split_once('"').unwrap();
            self.secrets.push(("form token", token.to_owned()));
            self.form_token = Some(token.to_owned());
        }
        (status, body)
    }

    fn get(&mut self, path: &str) -> (u16, String) {
        let request = self.request(Method::GET, &format!("{path}?{QUERY}"));
        self.send(request)
    }

    /// Sends a page's form.
    fn post(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        self.get(page);
        let form_token = self.form_token.take();
        let mut form: Vec<_> = form_token.iter().map(|it| ("_token", &**it)).collect();
        form.extend(fields);
        let request = self.request(Method::POST, &format!("{path}?{QUERY}"));
        self.send(request.form(&form))
    }

    fn json(&mut self, method: Method, path: &str, body: &str) -> (u16, String) {
        let request = self.request(method, &format!("/api/v1{path}?{QUERY}"));
        let request = request.header("Content-Type", "application/json");
        self.send(request.body(body.to_owned()))
    }

    /// The newest cookie of a session.
    fn token(&self) -> Token {
        let secrets = self.secrets.iter().rev();
        let mut tokens = secrets.filter_map(|(_, secret)| Token::parse(secret));
        tokens.next().unwrap()
    }
}

/// Everything that people do with pages; `watch` looks around in between.
fn walk_through_the_pages(visitor: &mut Visitor<'_>, email: &str, watch: &mut dyn FnMut(&Token)) {
    let [password, new, wrong, misplaced] = [(); 4].map(|()| visitor.password());
    for page in [
        "/",
        "/login",
        "/register",
        "/nowhere",
        "/home",
        "/static/style.css",
    ] {
        visitor.get(page);
    }
    let name = [("first_name", "Ada"), ("last_name", "Lovelace")];
    let account = |password| [&name[..], &[("email", email), ("password", password)]].concat();
    let short = visitor.post("/register", "/register", &account(&password[..7]));
    assert_eq!(short.0, 422);
    let registered = visitor.post("/register", "/register", &account(&password));
    assert_eq!(registered.0, 303, "{registered:?}");
    watch(&visitor.token());
    for page in [
        "/home",
        "/messages",
        "/account",
        "/account/devices",
        "/account/password",
    ] {
        assert_eq!(visitor.get(page).0, 200, "{page}");
    }
    let again = visitor.post(
        "/account/confirm",
        "/account/confirm",
        &[("password", &wrong)],
    );
    assert_ne!(again.0, 200);
    let place = [("_method", "put"), ("location", "London")];
    visitor.get("/account");
    let form_token = visitor.form_token.take().unwrap_or_default();
    let moved = visitor.request(Method::POST, "/account/location");
    let moved = moved.form(&[place[0], ("_token", &*form_token), place[1]]);
    assert_eq!(visitor.send(moved).0, 303);
    for (current, next) in [(&wrong, &new), (&password, &new)] {
        let fields = [("current", &**current), ("new", &**next)];
        visitor.post("/account/password", "/account/password", &fields);
    }
    watch(&visitor.token());
    visitor.post("/account", "/logout", &[]);
    visitor.change_browser();
    for (email, password) in [
        (email, &*wrong),
        (&*misplaced, &*wrong),
        ("nobody@example.org", &*wrong),
        (email, &*new),
    ] {
        let fields = [("email", email), ("password", password), ("remember", "on")];
        visitor.post("/login", "/login", &fields);
    }
    assert_eq!(visitor.get("/home").0, 200, "signed in at last");
    watch(&visitor.token());
    let devices = "/account/devices";
    visitor.post(devices, "/account/devices/00000000/end", &[]);
    visitor.post(devices, "/account/devices/end_others", &[]);
    watch(&visitor.token());
}

/// Forms and documents that cannot be read, with a password in each.
fn send_what_cannot_be_read(visitor: &mut Visitor<'_>) {
    let password = visitor.password();
    visitor.change_browser();
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
        visitor.post("/login", "/login", fields);
        visitor.post("/register", "/register", fields);
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
        format!("{good}{}", " ".repeat(1_049_000)),
    ] {
        for path in ["/signin", "/signup"] {
            let (status, _) = visitor.json(Method::POST, path, &body);
            assert!((400..500).contains(&status), "{status}: {body:.80}");
        }
    }
    for cookie in [format!("id={password}"), format!("id={password}; id=x")] {
        let request = visitor
            .request(Method::GET, "/home")
            .header("Cookie", cookie);
        visitor.send(request);
    }
}

/// Everything that programs do.
fn walk_through_the_api(visitor: &mut Visitor<'_>, email: &str, watch: &mut dyn FnMut(&Token)) {
    let [password, new, wrong] = [(); 3].map(|()| visitor.password());
    visitor.change_browser();
    let account = json!({
        "first_name": "Grace", "last_name": "Hopper", "email": email, "password": password,
    });
    let (status, body) = visitor.json(Method::POST, "/signup", &account.to_string());
    assert_eq!(status, 201, "{body}");
    for current in [&wrong, &password] {
        let change = json!({ "current": current, "new": new }).to_string();
        visitor.json(Method::PUT, "/password", &change);
        let unreadable = change.replace('}', ",}");
        assert_eq!(visitor.json(Method::PUT, "/password", &unreadable).0, 400);
    }
    for path in ["/me", "/devices"] {
        assert_eq!(visitor.json(Method::GET, path, "").0, 200, "{path}");
    }
    watch(&visitor.token());
    visitor.json(Method::POST, "/signout", "{}");
    for (email, password) in [(email, &wrong), (email, &new), (&*wrong, &wrong)] {
        let credentials = json!({ "email": email, "password": password });
        visitor.json(Method::POST, "/signin", &credentials.to_string());
    }
    visitor.json(Method::DELETE, "/devices/00000000", "");
    visitor.json(Method::DELETE, "/devices", "");
    watch(&visitor.token());
}

/// All that is stored: a file with what was deleted from it, or the text of each row.
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

/// MariaDB writes down every statement with its values, from now on or no more.
fn write_statements_down(database: &TestDatabase, from_now_on: bool) {
    if database.url.starts_with("mysql:") {
        database.run("SET GLOBAL log_output = 'TABLE'");
        database.run(&format!("SET GLOBAL general_log = {from_now_on}"));
    }
}

/// What it has written down.
fn statements(database: &TestDatabase) -> Vec<u8> {
    let statements = "SELECT CONVERT(argument USING utf8mb4) AS line FROM mysql.general_log";
    match database.url.starts_with("mysql:") {
        true => database.lines(statements).join("\n").into_bytes(),
        false => Vec::new(),
    }
}

/// The database and what SQLite keeps beside it.
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

/// The pieces of 8 bytes that secrets have.
fn pieces(secrets: &[(&'static str, String)]) -> HashMap<[u8; 8], &'static str> {
    let pieces = secrets.iter().flat_map(|(kind, secret)| {
        let windows = secret.as_bytes().windows(8);
        windows.map(move |piece| (piece.try_into().unwrap(), *kind))
    });
    pieces.collect()
}

fn assert_none_in(place: &str, text: &[u8], pieces: &HashMap<[u8; 8], &'static str>) {
    for (at, window) in text.windows(8).enumerate() {
        if let Some(kind) = pieces.get(window) {
            let around = &text[at.saturating_sub(100)..text.len().min(at + 50)];
            let around = String::from_utf8_lossy(around);
            panic!("{place} has a part of a {kind}: {around}");
        }
    }
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len())
        .any(|window| window == part.as_bytes())
}

fn s18_o4_no_secret_is_in_the_database_or_in_any_log(database: &TestDatabase) {
    write_statements_down(database, true);
    for level in ["off", "critical", "normal"] {
        let application = Application::start_with(database, &[("ROCKET_LOG_LEVEL", level)]);
        let mut visitor = Visitor::new(&application.base);
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
        walk_through_the_pages(&mut visitor, &people, &mut watch);
        let programs = format!("grace-{level}@example.org");
        walk_through_the_api(&mut visitor, &programs, &mut watch);
        send_what_cannot_be_read(&mut visitor);
        all_stored.extend(stored(database));

        let statements = statements(database);
        let is_logged = database.url.starts_with("mysql:");
        assert_eq!(contains(&statements, &people), is_logged);

        let printed = application.output();
        let pieces = pieces(&visitor.secrets);
        for (kind, least) in [("password", 8), ("cookie", 8), ("form token", 30)] {
            let count = visitor.secrets.iter().filter(|(it, _)| *it == kind).count();
            assert!(count >= least, "{count} of the kind {kind}");
        }
        assert!(contains(&all_stored, &people) && contains(&all_stored, &programs));
        assert_none_in("the database", &all_stored, &pieces);
        assert_none_in("the database's log", &statements, &pieces);
        assert_none_in("the log", printed.as_bytes(), &pieces);

        let told = printed.lines().filter(|line| line.starts_with('{'));
        let told: Vec<_> = told.collect();
        assert!(told.len() > 10, "{printed}");
        assert!(!told.concat().contains("query-secret"), "{told:?}");
        assert!(
            level != "off" || !printed.contains("query-secret"),
            "{printed}"
        );
    }
    write_statements_down(database, false);
}
