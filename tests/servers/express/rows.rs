//! Rows of Express are read here, and Express reads those that are written here.

use std::fs;

use rocket::serde::json::{Value, json};
use tempfile::NamedTempFile;

use super::side::{Place, SECRET, browser_with, cookie};

on_both!(
    sessions_that_express_wrote_go_on_with_all_they_hold,
    rows_that_hold_no_session_are_anonymous_and_stay_as_they_are,
);

/// Each with its name and its cookie.
fn each(written: &Value) -> impl Iterator<Item = (&str, &str)> {
    let sessions = written.as_object().unwrap().iter();
    sessions.map(|(name, session)| (name.as_str(), session["cookie"].as_str().unwrap()))
}

fn sessions_that_express_wrote_go_on_with_all_they_hold(place: &Place) {
    let [express, rocket] = [place.express(&[SECRET]), place.rocket(&[SECRET])];
    let written = place.node_sessions("write", &Value::Null);
    for (name, cookie) in each(&written) {
        let browser = browser_with(cookie);
        let me = json!({ "user": "ada", "visits": 1, "cart": [] });
        assert_eq!(rocket.me(&browser), me, "{name}");
        rocket.post(&browser, "/visits");
    }
    place.node_sessions("check", &written);
    for (name, cookie) in each(&written) {
        let browser = browser_with(cookie);
        express.post(&browser, "/visits");
        let me = json!({ "user": "ada", "visits": 3, "cart": [] });
        assert_eq!(express.me(&browser), me, "{name}");
        assert_eq!(rocket.me(&browser), me, "{name}");
    }
}

fn rows_that_hold_no_session_are_anonymous_and_stay_as_they_are(place: &Place) {
    let _express = place.express(&[SECRET]);
    let output = NamedTempFile::new().unwrap();
    let rocket = place.rocket_with(&[SECRET], output.reopen().unwrap().into());
    let written = place.node_sessions("poison", &Value::Null);
    let logged = || fs::read_to_string(output.path()).unwrap();
    for (name, session) in written.as_object().unwrap() {
        let [sid, poisoned] = ["sid", "cookie"].map(|part| session[part].as_str().unwrap());
        let browser = browser_with(poisoned);
        let before = logged();
        let anonymous = json!({ "user": null, "visits": 0, "cart": [] });
        assert_eq!(rocket.me(&browser), anonymous, "{name}");
        let line = logged().split_off(before.len());
        // An expired session is not logged.
        assert_eq!(
            line.contains("is dropped: "),
            !name.starts_with("expired"),
            "{name}: {line}"
        );
        assert!(!line.contains(sid), "{name}: {line}");
        let begun = cookie(&rocket.post(&browser, "/visits"));
        assert_ne!(begun, poisoned, "{name}");
        assert_eq!(rocket.me(&browser_with(&begun))["visits"], 1, "{name}");
    }
    place.node_sessions("unchanged", &written);
}
