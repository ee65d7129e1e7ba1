//! Each action is one event, in the order of the actions.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use rocket::serde::json::{Value, from_str};

use super::site::*;

#[test]
fn a_life_of_a_session() {
    let site = Site::with(",sessions_per_user=2");
    assert_eq!(names(&site.emitted()), ["sys_startup"]);
    let mut browser = site.browser();
    let emitted = site.emitted_by(|| {
        for path in [
            "/visits/0",
            "/visits/0",
            "/log_in/ada",
            "/renew",
            "/log_out",
            "/log_out",
        ] {
            browser.post(path);
        }
    });
    assert_eq!(
        names(&emitted),
        [
            "session_created",
            "session_renewed",
            "session_renewed",
            "session_logout"
        ]
    );
    let [created, signed_in, renewed, ended] = [0, 1, 2, 3].map(|at: usize| &emitted[at]);
    assert_eq!(created["route"], "POST /visits/<milliseconds>");
    assert_eq!(created["level"], "info");
    assert_eq!(created["user"], Value::Null);
    assert_eq!(signed_in["user"], "ada");
    assert_eq!(signed_in["route"], "POST /log_in/<user>");
    assert_eq!(signed_in["before"], created["session"]);
    assert_eq!(renewed["before"], signed_in["session"]);
    assert_eq!(
        (&ended["session"], &ended["user"]),
        (&renewed["session"], &renewed["user"])
    );
    assert_ne!(created["session"], signed_in["session"]);
    for event in &emitted {
        let at = event["at"].as_str().unwrap();
        assert!(at.len() == 24 && at.ends_with('Z'), "{at}");
        assert!(chrono::DateTime::parse_from_rfc3339(at).is_ok(), "{at}");
        assert_eq!(event["session"].as_str().unwrap().len(), 16);
        assert_eq!(event.get("address"), None, "as configured");
    }
}

#[test]
fn a_session_begun_outside_a_request_emits_what_a_sign_in_emits() {
    let site = Site::with(",sessions_per_user=1");
    let mut browser = site.browser();
    let emitted = site.emitted_by(|| {
        browser.post("/begin/ada");
        thread::sleep(Duration::from_millis(2));
        browser.post("/begin/ada");
    });
    assert_eq!(
        names(&emitted),
        [
            "session_created",
            "session_created",
            "excess_sessions_exceeded"
        ]
    );
    for event in &emitted {
        assert_eq!((&event["user"], event.get("route")), (&"ada".into(), None));
    }
}

#[test]
fn other_devices_and_too_many_of_them() {
    let site = Site::with(",sessions_per_user=2");
    let mut browsers = [(); 3].map(|()| site.browser());
    let emitted = site.emitted_by(|| {
        for browser in &mut browsers {
            browser.post("/log_in/ada");
            // The next one is later, even to the millisecond.
            thread::sleep(Duration::from_millis(2));
        }
    });
    let created = "session_created";
    assert_eq!(
        names(&emitted),
        [created, created, created, "excess_sessions_exceeded"]
    );
    assert_eq!(
        (&emitted[3]["count"], &emitted[3]["session"]),
        (&1.into(), &emitted[2]["session"])
    );
    let [first, second, third] = &mut browsers;

    let emitted = site.emitted_by(|| assert_eq!(first.get("/devices").1, ""));
    assert_eq!(
        names(&emitted),
        ["session_use_after_expire"],
        "it was the oldest"
    );
    let emitted = site.emitted_by(|| assert_eq!(third.post("/end_others"), 200));
    assert_eq!(names(&emitted), ["session_renewed", "session_expired"]);
    assert_eq!(
        (&emitted[1]["why"], &emitted[1]["count"]),
        (&"revoked".into(), &1.into())
    );
    let emitted = site.emitted_by(|| assert_eq!(third.post("/end_others"), 200));
    assert_eq!(names(&emitted), ["session_renewed"], "there is nobody else");

    let created = site.emitted_by(|| assert_eq!(second.post("/log_in/ada"), 200));
    assert_eq!(
        names(&created),
        ["session_use_after_expire", "session_created"]
    );
    let key = third.get("/devices").1;
    let emitted =
        site.emitted_by(|| assert_eq!(third.delete(&format!("/devices/{key}")).1, "true"));
    assert_eq!(names(&emitted), ["session_expired"]);
    assert_eq!(emitted[0]["ended"], created[1]["session"]);
    let emitted =
        site.emitted_by(|| assert_eq!(third.delete(&format!("/devices/{key}")).1, "false"));
    assert_eq!(names(&emitted), ["malicious_direct_reference"]);
    assert_eq!(
        (&emitted[0]["level"], &emitted[0]["device"]),
        (&"critical".into(), &key.into())
    );
}

#[test]
fn a_change_after_the_end_of_the_session_is_an_event() {
    let site = Site::with("");
    let mut browser = site.browser();
    browser.post("/log_in/ada");
    let cookie = browser.cookie.clone();
    let emitted = site.emitted_by(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut slow = site.browser();
                slow.cookie = cookie;
                slow.post("/visits/1000");
            });
            thread::sleep(Duration::from_millis(300));
            browser.post("/log_out");
        });
    });
    assert_eq!(
        names(&emitted),
        ["session_logout", "session_conflict_resurrect_blocked"]
    );
    assert_eq!(emitted[0]["session"], emitted[1]["session"]);
    assert_eq!(emitted[1]["user"], "ada");
}

#[test]
fn anonymous_users_cause_no_line() {
    let site = Site::with("");
    let mut anonymous = site.browser();
    anonymous.cookie = Some("theme=dark; language=en".into());
    let emitted = site.emitted_by(|| {
        for _ in 0..100 {
            anonymous.get("/public");
            anonymous.get("/address");
            anonymous.get("/nowhere");
            anonymous.post("/log_out");
            anonymous.post("/renew");
        }
    });
    assert!(emitted.is_empty(), "{emitted:?}");
}

#[test]
fn a_shutdown_is_an_event_unless_events_are_off() {
    let mut site = Site::with("");
    site.browser().get("/public");
    site.server.signal("-TERM");
    assert!(site.server.wait().success());
    assert_eq!(names(&site.emitted()), ["sys_startup", "sys_shutdown"]);

    let mut aside = Site::on("memory:", ",events=\"stderr\"", "off");
    let mut off = Site::on("memory:", ",events=\"off\"", "off");
    for site in [&mut aside, &mut off] {
        assert_eq!(site.browser().post("/log_in/ada"), 200);
        site.server.signal("-TERM");
        assert!(site.server.wait().success());
        assert_eq!(site.printed(), "");
    }
    assert_eq!(off.printed_on_stderr(), "");
    let aside = aside.printed_on_stderr();
    let emitted: Vec<Value> = aside.lines().map(|line| from_str(line).unwrap()).collect();
    assert_eq!(
        names(&emitted),
        ["sys_startup", "session_created", "sys_shutdown"]
    );
}

/// The session of a browser.
#[derive(Clone, Copy, PartialEq)]
enum Held {
    Nothing,
    Session(Option<usize>),
    /// The token of a session that was ended elsewhere.
    Ended,
}

/// The events to expect of an action of the browser `at`; updates `held`.
fn expected(held: &mut [Held], at: usize, action: usize, user: usize) -> Vec<&'static str> {
    let mut emitted = Vec::new();
    if held[at] == Held::Ended {
        emitted.push("session_use_after_expire");
    }
    let has_session = matches!(held[at], Held::Session(_));
    match action {
        0 | 1 => {
            emitted.push(if has_session {
                "session_renewed"
            } else {
                "session_created"
            });
            held[at] = Held::Session(Some(user));
        }
        2 if !has_session => {
            emitted.push("session_created");
            held[at] = Held::Session(None);
        }
        3 => {
            if has_session {
                emitted.push("session_logout");
            }
            held[at] = Held::Nothing;
        }
        4 | 5 if has_session => {
            emitted.push("session_renewed");
            let own = held[at];
            let mut others = 0;
            if action == 5 && own != Held::Session(None) {
                for (other, held) in held.iter_mut().enumerate() {
                    if other != at && *held == own {
                        *held = Held::Ended;
                        others += 1;
                    }
                }
            }
            if others > 0 {
                emitted.push("session_expired");
            }
        }
        _ => {}
    }
    emitted
}

#[test]
fn ten_thousand_actions_are_ten_thousand_events() {
    let site = Site::with("");
    let mut random = fastrand::Rng::with_seed(7);
    let mut browsers: Vec<_> = (0..12).map(|_| site.browser()).collect();
    let mut held = [Held::Nothing; 12];
    let mut all = vec!["sys_startup"];
    let mut ended = 0;
    for _ in 0..10_000 {
        let (at, user) = (random.usize(..12), random.usize(..4));
        // The log has at most 100 lines a second that anonymous clients cause, so this stays below.
        let action = random.usize(..if ended < 70 { 6 } else { 5 });
        let action = match held[at] {
            Held::Session(_) => action,
            _ if action == 2 => 0, // a visit would begin an anonymous session
            _ => action,
        };
        let path = match action {
            0 | 1 => format!("/log_in/user-{user}"),
            2 => "/visits/0".into(),
            3 => "/log_out".into(),
            4 => "/renew".into(),
            _ => "/end_others".into(),
        };
        assert_eq!(browsers[at].post(&path), 200);
        let expected = expected(&mut held, at, action, user);
        ended += usize::from(expected.contains(&"session_use_after_expire"));
        all.extend(expected);
    }
    let emitted = site.emitted();
    assert_eq!(names(&emitted).len(), all.len());
    assert!(names(&emitted) == all, "in their order");
    let mut counts = BTreeMap::new();
    for name in all {
        *counts.entry(name).or_insert(0) += 1;
    }
    assert!(
        counts.len() == 6 && counts.values().sum::<u32>() > 6_000,
        "{counts:?}"
    );
}

#[test]
fn many_at_once_tear_no_line_of_each_other_or_of_rocket_s_log() {
    let site = Site::on("memory:", "", "normal");
    thread::scope(|scope| {
        for user in 0..8 {
            let mut browser = site.browser();
            scope.spawn(move || {
                for _ in 0..600 {
                    assert_eq!(browser.post(&format!("/log_in/user-{user}")), 200);
                    assert_eq!(browser.post("/log_out"), 200);
                }
            });
        }
    });
    let printed = site.printed();
    let mut counts = BTreeMap::new();
    for line in printed.lines().filter(|line| line.contains("\"event\"")) {
        let event: Value = from_str(line).unwrap_or_else(|_| panic!("torn: {line:?}"));
        *counts
            .entry(event["event"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
    }
    assert!(printed.lines().count() > 20_000, "Rocket printed, too");
    let expected = [
        ("session_created", 4_800),
        ("session_logout", 4_800),
        ("sys_startup", 1),
    ];
    assert_eq!(
        counts,
        expected
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
}
