//! Concurrent requests to both applications.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rocket::serde::json::json;

use super::side::{Place, SECRET, Side, browser, browser_with, cookie};
use testing::server::Server;

on_both!(
    twenty_that_write_at_once_to_a_session_of_express_lose_nothing,
    a_slow_request_does_not_undo_a_sign_out_at_express,
);

fn twenty_that_write_at_once_to_a_session_of_express_lose_nothing(place: &Place) {
    let [express, rocket] = [place.express(&[SECRET]), place.rocket(&[SECRET])];
    let browser = browser();
    express.sign_in(&browser);
    express.post(&browser, "/visits");
    thread::scope(|scope| {
        for article in 10..30 {
            let (rocket, browser) = (&rocket, &browser);
            scope.spawn(move || rocket.post(browser, &format!("/cart/{article}")));
        }
    });
    let mut me = express.me(&browser);
    let cart = me["cart"].as_array_mut().unwrap();
    cart.sort_by_key(|article| article.to_string());
    let all: Vec<_> = (10..30).map(|article| article.to_string()).collect();
    assert_eq!(me, json!({ "user": "ada", "visits": 1, "cart": all }));
}

fn a_slow_request_does_not_undo_a_sign_out_at_express(place: &Place) {
    let (express, busy) = (place.express(&[SECRET]), place.busy());
    let races = AtomicU32::new(0);
    let run = || {
        let mut sids = Vec::new();
        while races.fetch_add(1, Ordering::Relaxed) < 100 {
            sids.push(race(&express, &busy));
        }
        sids
    };
    let sids: Vec<String> = thread::scope(|scope| {
        let runs = [(); 4].map(|()| scope.spawn(run));
        runs.into_iter()
            .flat_map(|run| run.join().unwrap())
            .collect()
    });
    assert_eq!(sids.len(), 100);
    let texts = place.node_sessions("texts", &json!(sids));
    let mut came_back = texts
        .as_array()
        .unwrap()
        .iter()
        .filter(|text| !text.is_null());
    assert_eq!(came_back.next(), None);
}

/// One request to ours sleeps before it saves; the sign-out at Express falls before, into or after
/// that. Answers the id of the session that was ended.
fn race(express: &Side, busy: &Server) -> String {
    let signed_in = cookie(&browser().post(&format!("{}/log_in/7", busy.base), &[]));
    let browser = browser_with(&signed_in);
    let slow = format!("{}/slow/{}", busy.base, fastrand::u32(..12));
    thread::scope(|scope| {
        scope.spawn(|| {
            let answer = browser.post(&slow, &[]);
            assert_eq!((answer.status, answer.cookies()), (200, vec![]));
        });
        scope.spawn(|| express.post(&browser, "/logout"));
    });
    assert!(!express.knows(&browser));
    assert_eq!(browser.get(&format!("{}/user", busy.base)).body, "");
    let (_, value) = signed_in.split_once("=s%3A").unwrap();
    value.split_once('.').unwrap().0.to_owned()
}
