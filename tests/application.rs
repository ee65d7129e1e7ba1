//! The application over HTTP, as a process of its own on each backend.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod support;

use std::thread;

#[cfg(any(feature = "mysql", feature = "postgres"))]
use diesel::prelude::*;
use rocket::serde::json::{Value, json};

use support::accounts::{
    EMAIL, PASSWORD, complaint, cookie, is_signed_in, patiently, register, sign_in,
};
use support::application::{Answer, Application, make_empty, refusal};
use support::database::TestDatabase;
use support::{on_every_backend, sql};

/// Well-formed, and nobody's.
const MADE_UP: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn u1_register_sign_in_sign_out(database: &TestDatabase) {
    let application = Application::start(database);
    let visitor = application.visitor();
    let registered = register(&visitor, EMAIL, &[]);
    assert_eq!(registered.location(), "/home");
    let home = visitor.get("/home");
    assert_eq!(home.status, 200);
    assert!(home.body.contains("Ada Lovelace") && home.body.contains(EMAIL));
    assert_eq!(home.header("Cache-Control"), Some("no-store"));
    // Somebody who is signed in has nothing to do on these pages.
    assert_eq!(visitor.get("/login?next=/messages").location(), "/messages");
    assert_eq!(visitor.get("/register").location(), "/home");

    let signed_out = visitor.post("/logout", &[]);
    assert_eq!(signed_out.location(), "/login?signed_out");
    let removal = signed_out.set_cookie("id").unwrap();
    assert!(
        removal.starts_with("id=;") && removal.contains("Max-Age=0"),
        "{removal}"
    );
    assert!(!is_signed_in(&visitor));
    assert!(!is_signed_in(
        &application.visitor_with(&cookie(&registered))
    ));
    assert!(visitor.get("/").body.contains("Register"));

    let signed_in = sign_in(&visitor, EMAIL, PASSWORD);
    assert_eq!(signed_in.location(), "/home");
    assert_ne!(cookie(&signed_in), cookie(&registered));
    assert!(is_signed_in(&visitor));
}

fn u1_a_token_from_before_the_sign_in_is_worthless(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);

    // Nobody's token: it is not adopted.
    let planted = format!("id={MADE_UP}");
    let victim = application.visitor_with(&planted);
    let own = cookie(&sign_in(&victim, EMAIL, PASSWORD));
    assert_ne!(own, planted);
    assert!(!is_signed_in(&application.visitor_with(&planted)));
    assert!(is_signed_in(&application.visitor_with(&own)));

    // Somebody else's live session: it ends when another user signs in on top of it.
    let victim = application.visitor_with(&own);
    let grace = cookie(&register(&victim, "grace@example.org", &[]));
    assert_ne!(grace, own);
    assert!(!is_signed_in(&application.visitor_with(&own)));
    let home = application.visitor_with(&grace).get("/home");
    assert!(home.body.contains("grace@example.org") && !home.body.contains(EMAIL));
}

fn u3_strangers_are_sent_to_sign_in(database: &TestDatabase) {
    let application = Application::start(database);
    for visitor in [
        application.visitor(),
        application.visitor_with(&format!("id={MADE_UP}")),
        application.visitor_with("id=nonsense"),
    ] {
        assert_eq!(
            visitor.get("/messages").location(),
            "/login?next=%2Fmessages"
        );
        let page = visitor.get("/messages?page=2&of=a%20b");
        assert_eq!(
            page.location(),
            "/login?next=%2Fmessages%3Fpage%3D2%26of%3Da%2520b"
        );
        let refused = visitor.get_as("application/json", "/messages");
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("Content-Type"), Some("application/json"));
        let problem: Value = rocket::serde::json::from_str(&refused.body).unwrap();
        assert_eq!(
            problem,
            json!({ "title": "Unauthorized", "status": 401, "detail": "Sign in first." })
        );
    }
}

fn u4_back_to_the_page_asked_for(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    let cases = [
        ("/messages", "/messages"),
        ("/messages?page=2&of=a%20b", "/messages?page=2&of=a%20b"),
        ("//evil.example", "/home"),
        ("https://evil.example/", "/home"),
        ("/\\evil.example", "/home"),
        ("/%2f%2fevil.example", "/home"),
        ("javascript:alert(1)", "/home"),
        ("/messages\r\nSet-Cookie: a=b", "/home"),
        ("/logout", "/home"),
    ];
    for (index, (next, expected)) in cases.into_iter().enumerate() {
        let visitor = application.visitor();
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        assert_eq!(visitor.post("/login", &fields).location(), expected);
        let visitor = application.visitor();
        let email = format!("ada+{index}@example.org");
        let registered = register(&visitor, &email, &[("next", next)]);
        assert_eq!(registered.location(), expected);
        assert_eq!(registered.set_cookie("a"), None);
    }
}

/// The sign-in page hands the page asked for to its form, to the registration, and past a wrong password.
fn u4_the_page_asked_for_goes_from_page_to_page(database: &TestDatabase) {
    let application = Application::start(database);
    let visitor = application.visitor();
    let field = r#"<input type="hidden" name="next" value="&#x2f;messages?page=2">"#;
    for page in ["/login", "/register"] {
        let page = visitor.get(&format!("{page}?next=%2Fmessages%3Fpage%3D2"));
        assert_eq!(page.status, 200);
        assert!(page.body.contains(field), "{}", page.body);
        assert!(
            page.body.contains("?next=&#x2f;messages%3Fpage%3D2\""),
            "{}",
            page.body
        );
    }
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("next", "/messages?page=2"),
    ];
    assert!(visitor.post("/login", &fields).body.contains(field));
}

fn u1_an_address_has_one_account(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    for again in [EMAIL, "ADA@Example.ORG", "  ada@example.org "] {
        let visitor = application.visitor();
        let refused = register(&visitor, again, &[]);
        assert_eq!(refused.status, 422, "{again}");
        assert!(
            refused
                .body
                .contains("There is an account with this e-mail address already")
        );
        assert!(!refused.body.contains(PASSWORD));
        assert_eq!(refused.set_cookie("id"), None);
        assert!(!is_signed_in(&visitor));
        assert_eq!(sign_in(&visitor, again, PASSWORD).location(), "/home");
    }
}

fn u1_of_registrations_at_once_one_succeeds(database: &TestDatabase) {
    let application = Application::start(database);
    let mut statuses = thread::scope(|scope| {
        let application = &application;
        let registrations: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let visitor = application.visitor();
                    patiently(|| register(&visitor, EMAIL, &[])).status
                })
            })
            .collect();
        let statuses = registrations.into_iter().map(|one| one.join().unwrap());
        statuses.collect::<Vec<_>>()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422, 422, 422, 422, 422, 422, 422]);
}

fn u1_a_refusal_does_not_tell_who_has_an_account(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    let visitor = application.visitor();
    let wrong = sign_in(&visitor, EMAIL, "not the right one");
    let unknown = sign_in(&visitor, "eve@example.org", "not the right one");
    assert_eq!((wrong.status, unknown.status), (401, 401));
    let shown = |page: &Answer| page.body.replace(page.form_token().unwrap(), "TOKEN");
    let unknown_shown = shown(&unknown).replace("eve@example.org", EMAIL);
    assert_eq!(shown(&wrong), unknown_shown);
    assert!(wrong.body.contains("do not belong together"));
    assert!(!wrong.body.contains("not the right one"));
    assert_eq!(
        (wrong.set_cookie("id"), unknown.set_cookie("id")),
        (None, None)
    );
    assert!(!is_signed_in(&visitor));
}

fn sessions_outlive_a_killed_process(database: &TestDatabase) {
    let mut application = Application::start(database);
    let (ada, grace) = (application.visitor(), application.visitor());
    register(&ada, EMAIL, &[]);
    register(&grace, "grace@example.org", &[]);
    grace.post("/logout", &[]);
    application.kill();
    application.restart();
    let home = ada.get("/home");
    assert_eq!(home.status, 200);
    assert!(home.body.contains(EMAIL));
    assert!(!is_signed_in(&grace));
}

fn two_processes_make_the_tables_once(database: &TestDatabase) {
    make_empty(database);
    let mut nodes = [(); 2].map(|()| Application::launch(database, &[]));
    for node in &mut nodes {
        node.wait_until_healthy();
    }
    let [first, second] = &nodes;
    let signed_in = register(&first.visitor(), EMAIL, &[]);
    assert!(is_signed_in(&second.visitor_with(&cookie(&signed_in))));
}

on_every_backend!(
    u1_register_sign_in_sign_out,
    u1_a_token_from_before_the_sign_in_is_worthless,
    u1_a_refusal_does_not_tell_who_has_an_account,
    u1_an_address_has_one_account,
    u1_of_registrations_at_once_one_succeeds,
    u3_strangers_are_sent_to_sign_in,
    u4_back_to_the_page_asked_for,
    sessions_outlive_a_killed_process,
    two_processes_make_the_tables_once,
);

/// The server closes the connections of the application, which learns of it only when it uses them.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn closed_connections_are_replaced(database: &TestDatabase, close: impl Fn(&str)) {
    let application = Application::start(database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    for _ in 0..3 {
        close(&database.url);
        assert_eq!(visitor.get("/home").status, 200);
    }
}

#[cfg(feature = "mysql")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn connections_that_mariadb_closes_are_replaced() {
    closed_connections_are_replaced(&support::database::mariadb(), |url| {
        let mut connection = MysqlConnection::establish(url).unwrap();
        let others = "(SELECT GROUP_CONCAT(id) FROM information_schema.processlist \
                      WHERE db = DATABASE() AND id <> CONNECTION_ID())";
        let others = diesel::dsl::sql::<diesel::sql_types::Text>(others);
        let others: String = diesel::select(others).first(&mut connection).unwrap();
        for id in others.split(',') {
            let kill = diesel::sql_query(format!("KILL {id}"));
            kill.execute(&mut connection).unwrap();
        }
    });
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn connections_that_postgresql_closes_are_replaced() {
    closed_connections_are_replaced(&support::database::postgresql(), |url| {
        let mut connection = PgConnection::establish(url).unwrap();
        let close = diesel::sql_query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        assert!(close.execute(&mut connection).unwrap() > 0);
    });
}

#[test]
fn u4_the_page_asked_for_is_handed_on() {
    u4_the_page_asked_for_goes_from_page_to_page(&support::database::sqlite());
}

#[test]
fn u1_attributes_of_the_cookie() {
    for (profile, name, secure) in [("dev", "id", false), ("prod", "__Host-id", true)] {
        let database = support::database::sqlite();
        let application = Application::start_with(&database, &[("ROCKET_PROFILE", profile)]);
        let registered = register(&application.visitor(), EMAIL, &[]);
        let line = registered.set_cookie(name).unwrap();
        let (token, mut attributes) = split(line);
        let value = token.strip_prefix(&format!("{name}=")).unwrap();
        assert_eq!(value.len(), MADE_UP.len(), "{line}");
        let mut expected = vec!["HttpOnly", "Path=/", "SameSite=Lax"];
        expected.extend(secure.then_some("Secure"));
        attributes.sort_unstable();
        assert_eq!(attributes, expected, "{profile}");

        let removal = application.visitor_with(token).post("/logout", &[]);
        let removal = removal.set_cookie(name).unwrap();
        let (token, attributes) = split(removal);
        assert_eq!(token, format!("{name}="));
        for attribute in expected.iter().chain(&["Max-Age=0"]) {
            assert!(attributes.contains(attribute), "{attribute} in {removal}");
        }
    }
}

fn split(line: &str) -> (&str, Vec<&str>) {
    let mut parts = line.split("; ");
    (parts.next().unwrap(), parts.collect())
}

/// What a field is given, and what the page says about it.
const REFUSED: &[(&str, &str, &str)] = &[
    ("first_name", "", "Please fill this in."),
    ("first_name", " \t ", "Please fill this in."),
    ("last_name", "", "Please fill this in."),
    ("last_name", "Love\u{0}lace", "no control characters"),
    ("email", "", "Please fill this in."),
    ("email", "ada", "This is not an e-mail address."),
    (
        "email",
        "ada@example.org, eve@example.org",
        "This is not an e-mail address.",
    ),
    (
        "email",
        "ada@example.org\r\nBcc: eve@example.org",
        "This is not an e-mail address.",
    ),
    ("password", "", "Please fill this in."),
    (
        "password",
        "14 characters!",
        "Please use at least 15 characters.",
    ),
];

fn with<'a>(name: &str, value: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let right = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    let changed = |(field, right)| match field == name {
        true => value.map(|value| (field, value)),
        false => Some((field, right)),
    };
    right.into_iter().filter_map(changed).collect()
}

#[test]
fn u1_a_registration_that_does_not_fit_stores_nothing() {
    let database = support::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let long = "x".repeat(65);
    let long_email = format!("{}@example.org", "x".repeat(250));
    let long_password = "x".repeat(1_025);
    let overlong = [
        ("first_name", &*long, "at most 64 characters"),
        ("email", &*long_email, "This is not an e-mail address."),
        ("password", &*long_password, "at most 1024 bytes"),
    ];
    for (field, value, words) in REFUSED.iter().copied().chain(overlong) {
        let refused = visitor.post("/register", &with(field, Some(value)));
        assert_refused(&refused, field, words);
        assert!(field != "password" || value.is_empty() || !refused.body.contains(value));
    }
    for field in ["first_name", "last_name", "email", "password"] {
        let refused = visitor.post("/register", &with(field, None));
        assert_refused(&refused, field, "Please fill this in.");
    }
    let names = visitor.post("/register", &with("password", Some("too short")));
    for typed in [
        "value=\"Ada\"",
        "value=\"Lovelace\"",
        "value=\"ada@example.org\"",
    ] {
        assert!(names.body.contains(typed), "{}", names.body);
    }
    assert_eq!(sql::count(&database, "users"), 0);
    assert!(register(&visitor, EMAIL, &[]).status == 303 && sql::count(&database, "users") == 1);
}

fn assert_refused(refused: &Answer, field: &str, words: &str) {
    assert_eq!(refused.status, 422, "{field}");
    assert_eq!(refused.set_cookie("id"), None);
    assert!(!refused.body.contains(PASSWORD), "{field}");
    let message = complaint(refused, field);
    assert!(message.contains(words), "{field}: {message}");
}

#[test]
fn u1_a_sign_in_that_cannot_be_read_is_mended() {
    let database = support::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    for (fields, field) in [
        (vec![], "email"),
        (vec![("email", EMAIL)], "password"),
        (vec![("email", ""), ("password", PASSWORD)], "email"),
        (vec![("email", EMAIL), ("password", "")], "password"),
    ] {
        assert_refused(
            &visitor.post("/login", &fields),
            field,
            "Please fill this in.",
        );
    }
    // Long, but to be answered as any other wrong one.
    let long = "x".repeat(5_000);
    let refused = sign_in(&visitor, EMAIL, &long);
    assert_eq!(refused.status, 401);
    assert!(!refused.body.contains(&long));
}

#[test]
fn u1_hostile_names_come_out_escaped() {
    let database = support::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let name = "<script>alert(1)</script>\"'&{{7*7}}";
    let escaped = "&lt;script&gt;alert(1)&lt;&#x2f;script&gt;&quot;&#x27;&amp;{{7*7}}";
    let typed_again = visitor.post(
        "/register",
        &[("first_name", name), ("last_name", name), ("email", name)],
    );
    assert_eq!(
        typed_again.body.matches(escaped).count(),
        3,
        "{}",
        typed_again.body
    );
    assert!(!typed_again.body.contains("<script>alert"));

    visitor.post("/register", &with("first_name", Some(name)));
    for page in ["/home", "/messages", "/"] {
        let page = visitor.get(page);
        assert_eq!(page.status, 200);
        assert!(page.body.contains(escaped), "{}", page.body);
        assert!(!page.body.contains("<script>alert"));
    }
}

#[test]
fn an_empty_database_is_brought_up_to_date() {
    let database = support::database::sqlite();
    make_empty(&database);
    let application = Application::start(&database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    assert!(is_signed_in(&visitor));
}

#[test]
fn o1_a_wrong_setting_stops_the_launch_in_one_line() {
    let database = support::database::sqlite();
    let sqlite = &*database.url;
    let session = "ROCKET_SESSION";
    for (url, setting, names, remedy) in [
        (
            sqlite,
            (session, r#"{idle_timeot="2h"}"#),
            "idle_timeot",
            "idle_timeout",
        ),
        (
            sqlite,
            (session, r#"{idle_timeout="soon"}"#),
            "session.idle_timeout",
            "write one like",
        ),
        (
            sqlite,
            (session, r#"{idle_timeout="48h"}"#),
            "session.idle_timeout",
            "lower the first or raise the second",
        ),
        (
            sqlite,
            (session, r#"{database="nope"}"#),
            "session.database",
            "add [default.databases.nope]",
        ),
        (
            sqlite,
            (session, r#"{cookie={same_site="none"}}"#),
            "session.cookie.same_site",
            "session.cookie.secure = true",
        ),
        (
            sqlite,
            (
                "ROCKET_DATABASES",
                &format!("{{app={{url={sqlite:?},pool_size=0}}}}"),
            ),
            "databases.app.pool_size",
            "from 1 to 256",
        ),
        (
            "oracle://example.org/app",
            (session, "{}"),
            "databases.app",
            "write sqlite:FILE",
        ),
        (
            "sqlite:/nowhere/at/all.db",
            (session, "{}"),
            "databases.app",
            "check that it runs, that its url is right",
        ),
    ] {
        let (status, output) = refusal(url, &[setting]);
        // None is what a process has that had to be killed.
        let refused = status.code().is_some_and(|code| code != 0);
        assert!(refused, "{setting:?} was accepted: {output}");
        let lines: Vec<_> = output.lines().filter(|line| line.contains(names)).collect();
        let [line] = lines[..] else {
            panic!("{setting:?}: not one line about {names}: {output}");
        };
        assert!(line.contains(remedy), "{setting:?}: {line}");
    }
}
