//! Counts wrong passwords of an account, and checks the waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rocket::serde::json::json;

use super::{WRONG, assert_too_often, attempts, pass, sign_in_by_program, start};
use testing::accounts::{EMAIL, PASSWORD, complaint, is_signed_in, register, sign_in};
use testing::database::TestDatabase;
use testing::visitor::Answer;
use testing::{on_every_backend, sql};

on_every_backend!(
    cve_2019_5421_of_200_wrong_passwords_at_once_10_are_compared,
    counters_outlive_a_process_and_waits_grow,
    anonymous_clients_cannot_lock_an_owner_out,
    attempts_to_confirm_and_change_count_per_session,
    renewing_a_session_resets_no_counter,
);

const GRACE: &str = "grace@example.org";

fn cve_2019_5421_of_200_wrong_passwords_at_once_10_are_compared(database: &TestDatabase) {
    let application = start(database, "{attempts_per_address=10000}");
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(database, "DELETE FROM attempts");
    let mut compared = Vec::new();
    for email in [EMAIL, "nobody@example.org"] {
        let visitor = &application.visitor();
        // One browser, which loads the form before it sends it.
        visitor.csrf_token();
        let answers: Vec<Answer> = thread::scope(|scope| {
            let attempt = |number: u32| {
                let password = format!("{WRONG} {number}");
                sign_in(visitor, email, &password)
            };
            let attempts = (0..200).map(|number| scope.spawn(move || attempt(number)));
            let attempts: Vec<_> = attempts.collect();
            attempts
                .into_iter()
                .map(|one| one.join().unwrap())
                .collect()
        });
        let count = |status| answers.iter().filter(|it| it.status == status).count();
        // Attempts that were refused for load were not compared either.
        let hashed = count(401);
        assert!((1..=10).contains(&hashed), "{hashed}");
        assert_eq!(count(401) + count(429) + count(503), 200);
        compared.push(hashed as i64);
        let refused = answers.iter().filter(|it| it.status == 429);
        refused.for_each(|answer| assert_too_often(answer, 30));
    }
    let of_address = compared.iter().sum();
    compared.sort_unstable();
    compared.push(of_address);
    assert_eq!(
        attempts(database, "failures"),
        compared,
        "the count is exact"
    );
}

fn counters_outlive_a_process_and_waits_grow(database: &TestDatabase) {
    let mut application = start(database, "{attempts_per_account=3}");
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(database, "DELETE FROM attempts");
    let visitor = application.visitor();
    for _ in 0..3 {
        assert_eq!(sign_in(&visitor, EMAIL, WRONG).status, 401);
    }
    application.kill();
    application.restart();
    for wait in [30, 60, 120, 240, 480, 900, 900] {
        // An early attempt does not prolong the wait, with the right password or not.
        for password in [WRONG, PASSWORD, PASSWORD] {
            assert_too_often(&sign_in(&visitor, EMAIL, password), wait);
            assert_too_often(&sign_in_by_program(&visitor, EMAIL, password), wait);
        }
        pass(database, wait);
        assert_eq!(sign_in(&visitor, EMAIL, WRONG).status, 401);
    }
    assert_eq!(attempts(database, "failures"), [10, 10]);
    pass(database, 900);
    assert_eq!(sign_in(&visitor, EMAIL, PASSWORD).location(), "/home");
    // The account's counter starts again, the address's does not.
    assert_eq!(attempts(database, "failures"), [10]);
    let other = application.visitor();
    for _ in 0..3 {
        assert_eq!(sign_in(&other, EMAIL, WRONG).status, 401);
    }
    assert_eq!(attempts(database, "failures"), [3, 13]);
    pass(database, 24 * 60 * 60);
    assert_eq!(sign_in(&other, EMAIL, WRONG).status, 401);
    assert_eq!(attempts(database, "failures"), [1, 1]);
}

fn anonymous_clients_cannot_lock_an_owner_out(database: &TestDatabase) {
    let application = start(database, "{attempts_per_account=3,attempts_per_address=5}");
    let [ada, telephone, grace] = [(); 3].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    sign_in(&telephone, EMAIL, PASSWORD);
    register(&grace, GRACE, &[]);
    ada.post("/logout", &[]);
    let anonymous = application.visitor();
    for _ in 0..3 {
        assert_eq!(sign_in(&anonymous, EMAIL, WRONG).status, 401);
    }
    for _ in 0..3 {
        sign_in(&anonymous, "nobody@example.org", WRONG);
    }
    // Account and address are both at their limits now.
    for password in [WRONG, PASSWORD] {
        assert_too_often(&sign_in(&anonymous, EMAIL, password), 30);
        assert_too_often(&sign_in(&application.visitor(), GRACE, password), 30);
    }

    let hammers = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            while hammers.load(Ordering::Relaxed) {
                assert_eq!(sign_in(&anonymous, EMAIL, WRONG).status, 429);
            }
        });
        // With a known browser:
        assert_eq!(sign_in(&ada, EMAIL, WRONG).status, 401);
        let signed_in = sign_in(&ada, EMAIL, PASSWORD);
        assert_eq!(signed_in.location(), "/home");
        assert!(signed_in.set_cookie("device").is_some());
        // In a live session:
        let confirmed = telephone.post("/account/confirm", &[("password", PASSWORD)]);
        assert_eq!(confirmed.location(), "/home");
        let change = [("current", PASSWORD), ("new", "staple battery horse")];
        assert_eq!(
            telephone.post("/account/password", &change).location(),
            "/account"
        );
        // This signed out the other browser, which is unknown now.
        assert_too_often(&sign_in(&ada, EMAIL, "staple battery horse"), 30);
        hammers.store(false, Ordering::Relaxed);
    });
    // Grace's browser is known, but not for Ada's account.
    assert_too_often(&sign_in(&grace, EMAIL, PASSWORD), 30);
    assert_eq!(sign_in(&grace, GRACE, PASSWORD).location(), "/home");
    // A known browser has a limit as well.
    for _ in 0..3 {
        assert_eq!(sign_in(&telephone, EMAIL, WRONG).status, 401);
    }
    assert_too_often(&sign_in(&telephone, EMAIL, "staple battery horse"), 30);
    assert!(is_signed_in(&telephone));
}

fn attempts_to_confirm_and_change_count_per_session(database: &TestDatabase) {
    let application = start(database, "{attempts_per_account=4}");
    let [ada, telephone] = [(); 2].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    sign_in(&telephone, EMAIL, PASSWORD);
    sql::execute(database, "DELETE FROM attempts");
    let confirm = |password| ada.post("/account/confirm", &[("password", password)]);
    let change = |current| {
        let fields = [("current", current), ("new", "staple battery horse")];
        ada.post("/account/password", &fields)
    };
    let change_by_program = |current| {
        let fields = json!({ "current": current, "new": "staple battery horse" });
        ada.put_json("/api/v1/password", &fields.to_string())
    };
    assert_eq!((confirm(WRONG).status, confirm(WRONG).status), (422, 422));
    assert_eq!(
        (change(WRONG).status, change_by_program(WRONG).status),
        (422, 400)
    );
    for password in [WRONG, PASSWORD] {
        let refused = confirm(password);
        assert_too_often(&refused, 30);
        assert!(complaint(&refused, "password").contains("too many attempts"));
        let refused = change(password);
        assert_too_often(&refused, 30);
        assert!(complaint(&refused, "current").contains("too many attempts"));
        let refused = change_by_program(password);
        assert_too_often(&refused, 30);
        assert_eq!(refused.json()["status"], 429);
    }
    assert!(is_signed_in(&ada), "all else goes on");
    let confirmed = telephone.post("/account/confirm", &[("password", PASSWORD)]);
    assert_eq!(confirmed.location(), "/home");
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
    pass(database, 30);
    assert_eq!(change(PASSWORD).location(), "/account");
    assert_eq!(attempts(database, "failures"), [0]);
}

/// Signing out all other devices renews the session.
fn renewing_a_session_resets_no_counter(database: &TestDatabase) {
    let application = start(database, "{attempts_per_account=4}");
    let thief = application.visitor();
    register(&thief, EMAIL, &[]);
    for _ in 0..2 {
        for _ in 0..2 {
            let wrong = thief.post("/account/confirm", &[("password", WRONG)]);
            assert_eq!(wrong.status, 422);
        }
        let before = thief.cookie("id");
        assert_eq!(thief.post("/account/devices/end_others", &[]).status, 303);
        assert_ne!(thief.cookie("id"), before, "renewed");
        assert_eq!(thief.get("/account/devices").status, 200);
    }
    let refused = thief.post("/account/confirm", &[("password", PASSWORD)]);
    assert_too_often(&refused, 30);
}
