//! Cookies and fields that say more than they should.

use std::process::Stdio;

use rocket::http::Header;
use rocket::serde::json::json;

use crate::site::{Answer, Site, invented_token};
use crate::support::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use crate::support::application::Application;
use crate::support::database::TestDatabase;
use crate::support::server::{Browser, Server};
use crate::support::{self, on_every_backend, sql};

on_every_backend!(
    cve_2013_0233_a_number_is_no_text,
    cve_2022_46170_a_session_of_one_application_is_none_of_another,
);

/// Names were decoded, so that a page of a neighbour could set `__%48ost-id`.
#[test]
fn cve_2020_8184_an_encoded_name_is_another_name() {
    let mut site = Site::new();
    site.post("/log_in/eve");
    let planted = site.cookie.take().unwrap().replace("__Host", "__%48ost");
    site.post("/log_in/ada");
    let own = site.cookie.clone().unwrap();
    let who = |cookies: String| {
        let request = site
            .client
            .get("/who")
            .header(Header::new("Cookie", cookies));
        Answer::of(request.dispatch()).body
    };
    assert_eq!(who(planted.clone()), "nobody");
    assert_eq!(who(format!("{own}; {planted}")), "ada");
    assert_eq!(who(format!("{planted}; {own}")), "ada");
}

/// The id went into the store's protocol as it came.
#[test]
fn cve_2022_4064_what_is_no_token_reaches_no_store() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    site.store.calls();
    let token = invented_token();
    for bad in [
        "\r\nFLUSHALL\r\n",
        " x",
        "\0",
        "\t",
        "%0d%0aFLUSHALL",
        "*",
        "🦀",
    ] {
        for value in [
            bad.to_owned(),
            format!("{token}{bad}"),
            format!("{bad}{token}"),
        ] {
            let header = Header::new("Cookie", format!("__Host-id={value}"));
            let answer = Answer::of(site.client.get("/who").header(header).dispatch());
            assert_eq!((answer.status, answer.set_cookie), (200, None), "{value:?}");
            assert!(site.store.calls().is_empty(), "{value:?}");
        }
    }
}

/// In MySQL, `'abc' = 0` is true.
fn cve_2013_0233_a_number_is_no_text(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    let visitor = application.visitor();
    for value in ["0", "0e1", "0x0", "true", "null", "NaN"] {
        for (email, password) in [(value, PASSWORD), (EMAIL, value), (value, value)] {
            let refused = sign_in(&visitor, email, password);
            assert!([401, 422].contains(&refused.status), "{value}: {refused:?}");
        }
    }
    for value in [
        json!(0),
        json!(true),
        json!(null),
        json!([]),
        json!({ "a": 1 }),
    ] {
        for body in [
            json!({ "email": value, "password": PASSWORD }),
            json!({ "email": EMAIL, "password": value }),
        ] {
            let refused = visitor.post_json("/api/v1/signin", &body.to_string());
            assert!((400..500).contains(&refused.status), "{body}: {refused:?}");
        }
    }
    assert!(!is_signed_in(&visitor));
}

/// They shared a store, and a session of one was good in the other.
fn cve_2022_46170_a_session_of_one_application_is_none_of_another(database: &TestDatabase) {
    let one = Server::busy(database);
    let settings = ",table=\"others\",create_table=true";
    let other = Server::busy_with(database, settings, "critical", Stdio::inherit());
    let mut browser = Browser::default();
    assert_eq!(browser.post(&format!("{}/log_in/ada", one.base)).0, 200);
    assert_eq!(browser.get(&format!("{}/user", one.base)).1, "ada");
    assert_eq!(browser.clone().get(&format!("{}/user", other.base)).1, "");
    assert_eq!(browser.post(&format!("{}/log_in/grace", other.base)).0, 200);
    assert_eq!(browser.get(&format!("{}/user", other.base)).1, "grace");
    assert_eq!(browser.get(&format!("{}/user", one.base)).1, "");
}

/// An empty token was found where the column was empty.
#[test]
fn cve_2019_16109_what_is_empty_matches_nothing_that_is_empty() {
    let database = support::database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(
        &database,
        "UPDATE users SET password_hash = ''; UPDATE sessions SET id = ''",
    );
    let visitor = application.visitor();
    for password in ["", " ", "$", "correct horse battery"] {
        assert!([401, 422].contains(&sign_in(&visitor, EMAIL, password).status));
    }
    for cookie in ["id=", "id=\"\"", "id= "] {
        assert!(!is_signed_in(&application.visitor_with(cookie)));
    }
}

#[test]
fn cve_2026_48019_no_address_has_two_lines() {
    let database = support::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    for bad in [
        "\r\nBcc: eve@example.org",
        "\n",
        "\r",
        "\u{2028}",
        "\u{85}",
        "\0",
        "\t",
    ] {
        let email = format!("ada@exam{bad}ple.org");
        let refused = register(&visitor, &email, &[]);
        assert_eq!(
            (refused.status, refused.cookies().len()),
            (422, 0),
            "{bad:?}"
        );
    }
    assert_eq!(sql::count(&database, "users"), 0);
}

/// Bytes in a column of text became a text that was none.
#[test]
fn rustsec_2026_0111_bytes_in_a_column_of_text_are_an_error() {
    let database = support::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    for (table, column) in [
        ("sessions", "data"),
        ("sessions", "user_agent"),
        ("users", "location"),
    ] {
        register(&visitor, EMAIL, &[]);
        assert!(is_signed_in(&visitor));
        let damage = format!("UPDATE {table} SET {column} = x'ff00fe'");
        sql::execute(&database, &damage);
        let page = visitor.get("/account");
        assert!([303, 500, 503].contains(&page.status), "{damage}: {page:?}");
        sql::execute(&database, "DELETE FROM sessions; DELETE FROM users");
    }
    assert_eq!(visitor.get("/health").status, 200);
}

/// What an application kept in the same place as its sessions could be used as one.
#[cfg(feature = "redis")]
mod namespaces {
    use rocket_diesel_session::{Inserted, contract};

    use crate::support::database::TestDatabase;
    use crate::support::redis::ask;
    use crate::support::{self, on_redis};

    on_redis!(cve_2011_4136_what_an_application_keeps_in_redis_is_no_session);

    fn cve_2011_4136_what_an_application_keeps_in_redis_is_no_session(database: &TestDatabase) {
        let record = contract::record();
        let key = record.key.as_str();
        ask(&database.url, &["HSET", key, "data", "{}", "version", "0"]);
        assert_eq!(database.store.load(&record.key, 0).unwrap(), None);
        assert_eq!(database.store.insert(&record).unwrap(), Inserted::Done);
        assert!(database.store.delete(&record.key).unwrap());
        assert_eq!(ask(&database.url, &["HGET", key, "data"]), "{}");
        ask(&database.url, &["DEL", key]);
    }
}
