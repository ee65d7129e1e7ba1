//! Checks that clients with many sign-ins leave capacity to all others.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testing::accounts::{PASSWORD, register, sign_in, until_not_busy};
use testing::application::Application;
use testing::visitor::Visitor;

/// Connections that sign in again and again.
const CONNECTIONS: usize = 24;

const TRIES: usize = 20;

#[test]
fn one_account_from_one_address() {
    assert_room_beside(|_| ("192.0.2.1".into(), email(0)), "192.0.2.2");
}

#[test]
fn one_account_from_one_address_beside_others_of_it() {
    assert_room_beside(|_| ("192.0.2.1".into(), email(0)), "192.0.2.1");
}

#[test]
fn many_accounts_from_one_address() {
    assert_room_beside(|number| ("192.0.2.1".into(), email(number)), "192.0.2.2");
}

#[test]
fn many_accounts_from_one_network_of_ipv6() {
    let address = |number| format!("2001:db8:0:1::{number:x}");
    assert_room_beside(|number| (address(number), email(number)), "2001:db8:0:2::1");
}

#[test]
fn one_account_from_many_addresses() {
    assert_room_beside(
        |number| (format!("198.51.100.{number}"), email(0)),
        "192.0.2.2",
    );
}

fn email(number: usize) -> String {
    format!("ada+{number}@example.org")
}

/// Signs in one user from `address` within three seconds, repeatedly, beside all others.
fn assert_room_beside(other: impl Fn(usize) -> (String, String) + Sync, address: &str) {
    let database = testing::database::sqlite();
    let settings = [
        (
            "ROCKET_SESSION",
            r#"{trusted_proxies=["127.0.0.1"],events="off"}"#,
        ),
        ("ROCKET_ACCOUNTS", "{attempts_per_address=10000}"),
        ("ROCKET_LOG_LEVEL", "off"),
    ];
    let application = Application::start_with(&database, &settings);
    let from = |address: &str| {
        let address = ("X-Forwarded-For".parse().unwrap(), address.parse().unwrap());
        Visitor::new(&application.base, [address].into_iter().collect())
    };
    let owner = "grace@example.org";
    for email in (0..CONNECTIONS).map(email).chain([owner.into()]) {
        let registered = until_not_busy(|| register(&from("203.0.113.1"), &email, &[]));
        assert_eq!(registered.location(), "/home");
    }
    let (goes_on, signed_in) = (AtomicBool::new(true), AtomicU32::new(0));
    let tries: Vec<(u16, Duration)> = thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (other, from, goes_on, signed_in) = (&other, &from, &goes_on, &signed_in);
            scope.spawn(move || {
                let (address, email) = other(number);
                while goes_on.load(Ordering::Relaxed) {
                    let status = sign_in(&from(&address), &email, PASSWORD).status;
                    signed_in.fetch_add((status == 303).into(), Ordering::Relaxed);
                }
            });
        }
        thread::sleep(Duration::from_secs(2));
        let attempt = || {
            let start = Instant::now();
            let answer = sign_in(&from(address), owner, PASSWORD);
            (answer.status, start.elapsed())
        };
        let tries = (0..TRIES).map(|_| attempt()).collect();
        goes_on.store(false, Ordering::Relaxed);
        tries
    });
    let soon = |(status, took): &&(u16, Duration)| *status == 303 && took.as_secs() < 3;
    assert_eq!(tries.iter().filter(soon).count(), TRIES, "{tries:?}");
    assert!(signed_in.into_inner() > 0);
}
