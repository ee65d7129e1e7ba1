//! Sign-in, changes and sign-out of a visitor who uses both applications.

use std::fs;
use std::process::Command;

use rocket::serde::json::json;

use super::side::{Place, SECRET, Side, browser, browser_with, cookie, folder};
use testing::server::{Server, free_port};

on_both!(
    a_sign_in_at_one_holds_at_the_other,
    both_change_one_session_in_turn,
    a_sign_out_at_one_holds_at_the_other,
    a_new_secret_ends_no_session,
    one_browser_uses_both_behind_one_proxy,
);

fn both(place: &Place, secrets: &[&str]) -> [Side; 2] {
    [place.express(secrets), place.rocket(secrets)]
}

/// Each of the two with the other one.
fn both_ways([express, rocket]: &[Side; 2]) -> [[&Side; 2]; 2] {
    [[express, rocket], [rocket, express]]
}

fn a_sign_in_at_one_holds_at_the_other(place: &Place) {
    for [here, there] in both_ways(&both(place, &[SECRET])) {
        let browser = browser();
        here.post(&browser, "/cart/tea");
        let anonymous = json!({ "user": null, "visits": 0, "cart": ["tea"] });
        assert_eq!(there.me(&browser), anonymous);
        here.sign_in(&browser);
        let ada = json!({ "user": "ada", "visits": 0, "cart": ["tea"] });
        assert_eq!(there.me(&browser), ada);
        assert_eq!(here.me(&browser), ada);
    }
}

fn both_change_one_session_in_turn(place: &Place) {
    for (max_age, lives_on) in [("", false), ("3600000", true)] {
        let express = place.express_with(&[SECRET], max_age);
        let sides = [express, place.rocket(&[SECRET])];
        let browser = browser();
        sides[0].sign_in(&browser);
        let mut cart = Vec::new();
        for visits in 1..=6 {
            let side = &sides[visits % 2];
            // A cookie that outlives the browser is prolonged by both.
            let answer = side.post(&browser, "/visits");
            assert_eq!(answer.set_cookie("connect.sid").is_some(), lives_on);
            side.post(&browser, &format!("/cart/{visits}"));
            cart.push(visits.to_string());
            for side in &sides {
                let seen = json!({ "user": "ada", "visits": visits, "cart": cart });
                assert_eq!(side.me(&browser), seen);
            }
        }
    }
}

fn a_sign_out_at_one_holds_at_the_other(place: &Place) {
    for [here, there] in both_ways(&both(place, &[SECRET])) {
        let browser = browser();
        let kept = browser_with(&cookie(&here.sign_in(&browser)));
        assert!(here.knows(&kept) && there.knows(&kept));
        there.post(&browser, "/logout");
        // A copy of the cookie opens nothing, either.
        for browser in [browser, kept] {
            assert!(!here.knows(&browser) && !there.knows(&browser));
        }
    }
}

fn a_new_secret_ends_no_session(place: &Place) {
    let before = both(place, &["old"]);
    let signed_in = before.each_ref().map(|side| {
        let browser = browser();
        side.sign_in(&browser);
        browser
    });
    drop(before);

    let sides = both(place, &["new", "old"]);
    for browser in &signed_in {
        assert!(sides.iter().all(|side| side.knows(browser)));
    }
    let renewed = sides.each_ref().map(|side| {
        let browser = browser();
        side.sign_in(&browser);
        browser
    });
    drop(sides);

    for side in both(place, &["new"]) {
        assert!(renewed.iter().all(|browser| side.knows(browser)));
        assert!(!signed_in.iter().any(|browser| side.knows(browser)));
    }
}

fn one_browser_uses_both_behind_one_proxy(place: &Place) {
    let [express, rocket] = both(place, &[SECRET]);
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut settings = fs::read_to_string(folder().join("nginx.conf")).unwrap();
    for (sample, here) in [
        ("http://127.0.0.1:3000", express.at("")),
        ("http://127.0.0.1:8000", rocket.at("").replace("/new", "")),
        ("127.0.0.1:8080", format!("127.0.0.1:{port}")),
    ] {
        assert!(settings.contains(sample), "{sample}");
        settings = settings.replace(sample, &here);
    }
    fs::write(home.path().join("nginx.conf"), settings).unwrap();
    let mut nginx = Command::new("nginx");
    nginx
        .args(["-g", "master_process off;"]) // so that it can be killed
        .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
        .arg(home.path());
    let proxy = Server::start(&mut nginx, port);

    let browser = browser();
    for mount in ["", "/new"] {
        let post = |path: &str, fields: &[(&str, &str)]| {
            let answer = browser.post(&format!("{}{mount}{path}", proxy.base), fields);
            assert_eq!(answer.location(), "/");
        };
        let credentials = [("username", "ada"), ("password", "correct horse battery")];
        post("/login", &credentials);
        post("/visits", &[]);
    }
    for mount in ["", "/new"] {
        let me = browser.get(&format!("{}{mount}/me", proxy.base)).json();
        assert_eq!(me, json!({ "user": "ada", "visits": 2, "cart": [] }));
    }
    let page = browser.get(&format!("{}/", proxy.base)).body;
    assert!(page.contains("Signed in as ada, 2 visits"), "{page}");
}
