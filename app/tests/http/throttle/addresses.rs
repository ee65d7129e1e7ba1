//! Counts attempts per client address.

use rocket::serde::json::json;

use super::{WRONG, assert_too_often, attempts, pass, sign_in_by_program, start};
use testing::accounts::{EMAIL, PASSWORD, register, sign_in};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::visitor::Visitor;
use testing::{on_every_backend, sql};

on_every_backend!(
    an_address_counts_on_all_accounts_together,
    registrations_of_an_address_are_counted,
    old_counters_and_known_devices_are_deleted,
);

fn an_address_counts_on_all_accounts_together(database: &TestDatabase) {
    let application = start(database, "{attempts_per_address=5}");
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(database, "DELETE FROM attempts");
    // Right passwords never count.
    for _ in 0..7 {
        let signed_in = sign_in(&application.visitor(), EMAIL, PASSWORD);
        assert_eq!(signed_in.location(), "/home");
    }
    assert_eq!(attempts(database, "failures"), [0]);
    let anonymous = application.visitor();
    for number in 0..5 {
        let email = format!("nobody+{number}@example.org");
        assert_eq!(sign_in(&anonymous, &email, WRONG).status, 401);
    }
    let rows = attempts(database, "failures");
    assert_eq!(rows, [1, 1, 1, 1, 1, 5]);
    for number in 5..8 {
        let email = format!("nobody+{number}@example.org");
        assert_too_often(&sign_in(&anonymous, &email, WRONG), 30);
        assert_too_often(&sign_in_by_program(&anonymous, &email, WRONG), 30);
    }
    assert_eq!(
        attempts(database, "failures"),
        rows,
        "who is refused leaves no row"
    );
}

#[test]
fn a_network_of_ipv6_counts_as_one_address() {
    let database = database::sqlite();
    let settings = [
        ("ROCKET_SESSION", r#"{trusted_proxies=["127.0.0.0/8"]}"#),
        ("ROCKET_ACCOUNTS", "{attempts_per_address=2}"),
    ];
    let application = Application::start_with(&database, &settings);
    let sign_in_from = |address: &str, number: u32| {
        let header = ("X-Forwarded-For".parse().unwrap(), address.parse().unwrap());
        let visitor = Visitor::new(&application.base, [header].into_iter().collect());
        let email = format!("nobody+{number}@example.org");
        sign_in(&visitor, &email, WRONG)
    };
    assert_eq!(sign_in_from("2001:db8:0:1::1", 1).status, 401);
    assert_eq!(sign_in_from("2001:db8:0:1:ffff::2", 2).status, 401);
    assert_too_often(&sign_in_from("2001:db8:0:1::3", 3), 30);
    assert_eq!(sign_in_from("2001:db8:0:2::1", 4).status, 401);
}

fn registrations_of_an_address_are_counted(database: &TestDatabase) {
    let application = start(database, "{attempts_per_address=3}");
    let join = |number: u32| {
        let email = format!("ada+{number}@example.org");
        register(&application.visitor(), &email, &[])
    };
    assert_eq!(join(1).location(), "/home");
    assert_eq!(join(1).location(), "/home", "sent twice");
    assert_eq!(join(2).location(), "/home");
    let refused = join(3);
    assert_too_often(&refused, 30);
    assert!(refused.body.contains(r#"role="alert""#));
    let account = json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": EMAIL, "password": PASSWORD,
    });
    let program = application.visitor();
    let refused = program.post_json("/api/v1/signup", &account.to_string());
    assert_too_often(&refused, 30);
    assert_eq!(refused.json()["title"], "Too Many Requests");
    assert_eq!(sql::count(database, "users"), 2);
    // Registrations have a counter beside that of sign-ins.
    let signed_in = sign_in(&program, "ada+1@example.org", PASSWORD);
    assert_eq!(signed_in.location(), "/home");
    pass(database, 30);
    assert_eq!(join(3).location(), "/home");
}

fn old_counters_and_known_devices_are_deleted(database: &TestDatabase) {
    let application = Application::start(database);
    let old = (0..25).map(|number| format!("('{number}', 50, 900001, 1)"));
    let old: Vec<_> = old.collect();
    let insert = format!(
        "INSERT INTO attempts (id, failures, next_at, last_at) VALUES {}",
        old.join(", ")
    );
    sql::execute(database, &insert);
    let devices = (0..5).map(|number| format!("('{number}', 'ada', 1)"));
    let devices: Vec<_> = devices.collect();
    let insert = format!("INSERT INTO known_devices VALUES {}", devices.join(", "));
    sql::execute(database, &insert);
    let visitor = application.visitor();
    for number in 0..2 {
        let email = format!("nobody+{number}@example.org");
        assert_eq!(sign_in(&visitor, &email, WRONG).status, 401);
    }
    assert_eq!(attempts(database, "failures"), [1, 1, 2]);

    register(&visitor, EMAIL, &[]);
    assert_eq!(sql::count(database, "known_devices"), 1);
    // Only the newest browsers of a user are kept.
    let user = sql::texts(database, "SELECT id AS text FROM users")[0].clone();
    let now = chrono::Utc::now().timestamp_millis();
    let devices = (0..25).map(|number| format!("('{number}', '{user}', {})", now - 9_999_000));
    let devices: Vec<_> = devices.collect();
    let insert = format!("INSERT INTO known_devices VALUES {}", devices.join(", "));
    sql::execute(database, &insert);
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
    assert_eq!(sql::count(database, "known_devices"), 20);
    assert_eq!(
        sql::count(database, "known_devices WHERE LENGTH(id) = 64"),
        2
    );
}
