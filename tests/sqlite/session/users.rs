//! A user's several sessions: remembered, limited, listed, ended.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use rocket::futures::future::join_all;
use rocket::http::{Header, Status};
use rocket::local::asynchronous::Client;
use rocket::local::blocking;
use rocket::{State, post, routes};
use rocket_diesel_session::store::Store;
use rocket_diesel_session::{Key, Session};

use testing::site::*;

const DAY: i64 = 24 * HOUR;

#[test]
fn the_page_knows_since_when_and_for_how_long() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    site.pass(MINUTE);
    assert_eq!(
        site.get("/ages").body,
        format!("0 {} {}", 2 * HOUR, 2 * HOUR - MINUTE)
    );
}

#[test]
fn signing_in_again_is_fresh() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    site.pass(HOUR);
    site.post("/set/blue");
    assert!(site.get("/ages").body.starts_with("0 "));
    site.post("/log_in/ada");
    assert!(site.get("/ages").body.starts_with(&HOUR.to_string()));
}

#[test]
fn a_remembered_session_lasts_for_the_remember_timeout() {
    let mut site = Site::with("{remember_timeout=\"90days\"}");
    let cookie = site.post("/remember/ada").set_cookie.unwrap();
    assert!(cookie.contains("Max-Age=7776000"), "{cookie}");
    site.post("/set/blue");
    for days_left in [46, 2] {
        site.pass(44 * DAY);
        let answer = site.get("/who");
        assert_eq!(answer.body, "ada");
        let max_age = format!("Max-Age={}", days_left * DAY / 1000);
        assert!(answer.set_cookie.unwrap().contains(&max_age), "{max_age}");
    }
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    site.pass(2 * DAY);
    assert_eq!(
        site.get("/who").body,
        "nobody",
        "90 days after the sign-in it is over"
    );
}

#[test]
fn it_is_asked_at_each_sign_in_and_survives_a_clearing() {
    let mut site = Site::new();
    site.post("/remember/ada");
    site.post("/renew?drop=true");
    site.pass(29 * DAY);
    assert_eq!(site.get("/who").body, "ada");
    let cookie = site.post("/log_in/ada").set_cookie.unwrap();
    assert!(!cookie.contains("Max-Age"), "{cookie}");
    site.pass(2 * HOUR);
    assert_eq!(site.get("/who").body, "nobody");
}

#[test]
fn a_sign_in_after_a_destroy_begins_without_values() {
    let mut site = Site::new();
    site.post("/start_afresh/ada");
    assert_eq!(site.get("/who").body, "ada");
    site.post("/set/blue");
    let before = site.cookie.clone();
    for user in ["ada", "grace"] {
        site.post(if user == "ada" {
            "/start_afresh/ada"
        } else {
            "/start_afresh/grace"
        });
        assert_eq!(site.get("/who").body, user);
        assert_eq!(site.get("/get").body, "None");
    }
    assert_eq!(site.rows(), 1);
    site.cookie = before;
    assert_eq!(site.get("/who").body, "nobody", "what was there is over");
}

fn cookies(site: &mut Site, count: usize) -> Vec<Option<String>> {
    let sign_in = |_| {
        site.cookie = None;
        site.pass(1);
        site.post("/log_in/ada");
        site.cookie.take()
    };
    (0..count).map(sign_in).collect()
}

fn signed_in(site: &mut Site, cookie: &Option<String>) -> bool {
    site.cookie = cookie.clone();
    site.get("/who").body == "ada"
}

#[test]
fn a_sign_in_over_the_maximum_ends_the_oldest_session() {
    let mut site = Site::with("{sessions_per_user=3}");
    let cookies = cookies(&mut site, 5);
    let live: Vec<bool> = cookies.iter().map(|it| signed_in(&mut site, it)).collect();
    assert_eq!(live, [false, false, true, true, true]);
    site.post("/log_in/ada");
    assert_eq!(
        site.rows(),
        3,
        "signing in again in the same session ends no other"
    );
    site.cookie = None;
    site.post("/log_in/grace");
    assert_eq!(site.rows(), 4, "another user's sessions are not counted");
}

#[test]
fn of_many_sign_ins_at_once_exactly_the_limit_stays() {
    let store = Arc::new(Watched::default());
    let now = Arc::new(AtomicI64::new(START));
    let rocket = rocket("{sessions_per_user=5}", store.clone(), now);
    rocket::execute(async {
        let client = Client::untracked(rocket).await.unwrap();
        let sign_in = |_| client.post("/log_in/ada").dispatch();
        let answers = join_all((0..32).map(sign_in)).await;
        assert!(answers.iter().all(|answer| answer.status() == Status::Ok));
    });
    assert_eq!(store.memory.count(START).unwrap(), 5);
}

#[test]
fn a_store_that_fails_afterwards_does_not_undo_the_sign_in() {
    let mut site = Site::with("{sessions_per_user=1}");
    cookies(&mut site, 1);
    site.store.calls();
    site.store.fail_after(1, 1);
    assert_eq!(site.post("/log_in/ada").status, 200);
    assert_eq!(site.store.calls(), ["insert", "list"]);
    assert_eq!(site.get("/who").body, "ada");
    site.cookie = None;
    site.post("/log_in/ada");
    assert_eq!(site.rows(), 1, "the next one ends what is too many");
}

#[test]
fn devices_are_listed_and_ended_by_their_user_alone() {
    let mut site = Site::new();
    let firefox = site
        .client
        .post("/log_in/ada")
        .header(Header::new("User-Agent", "Firefox"));
    let firefox = Answer::of(firefox.dispatch());
    site.keep(firefox);
    let (here, first) = (key(&site), site.cookie.take());
    site.pass(1);
    site.post("/log_in/ada");
    let second = (key(&site), site.cookie.take());
    site.post("/log_in/grace");
    let grace = key(&site);

    site.cookie = first.clone();
    let (here, there) = (here.short(), second.0.short());
    assert_eq!(
        site.get("/devices").body,
        format!("{there} unknown\n{here} Firefox (here)\n")
    );
    let end = |site: &Site, key: &str| site.ask(site.client.delete(format!("/devices/{key}"))).body;
    assert_eq!(end(&site, grace.short()), "false", "somebody else's");
    assert_eq!(end(&site, grace.as_str()), "false");
    assert_eq!(end(&site, there), "true");
    assert_eq!(end(&site, there), "false", "again");
    assert!(!signed_in(&mut site, &second.1));
    assert!(signed_in(&mut site, &first));
    assert_eq!(site.rows(), 2);
    assert_eq!(end(&site, here), "true", "the current one is signing out");
    assert!(!signed_in(&mut site, &first));
    assert_eq!(
        end(&site, grace.short()),
        "false",
        "an anonymous user has no devices"
    );
}

#[test]
fn all_others_are_ended_and_this_one_is_renewed() {
    let mut site = Site::new();
    let others = cookies(&mut site, 3);
    site.post("/log_in/grace");
    let grace = site.cookie.take();
    site.post("/log_in/ada");
    let before = site.cookie.clone();
    site.post("/end_others");
    assert_ne!(site.cookie, before);
    assert_eq!(site.get("/who").body, "ada");
    assert_eq!(site.rows(), 2);
    assert!(
        others
            .iter()
            .chain([&before])
            .all(|cookie| !signed_in(&mut site, cookie))
    );
    site.cookie = grace;
    assert_eq!(site.get("/who").body, "grace");
}

#[test]
fn a_sign_out_can_end_all_others_too() {
    #[post("/leave_everywhere?<first>")]
    fn leave_everywhere(session: &Session, first: bool) {
        if first {
            session.end_others();
        }
        session.log_out();
        if !first {
            session.end_others();
        }
    }
    for first in [true, false] {
        let mut site = Site::new();
        cookies(&mut site, 2);
        site.post("/log_in/ada");
        let routes = routes![leave_everywhere];
        let rocket = rocket("{}", site.store.clone(), site.now.clone()).mount("/", routes);
        let client = blocking::Client::untracked(rocket).unwrap();
        let cookie = Header::new("Cookie", site.cookie.take().unwrap());
        let request = client.post(format!("/leave_everywhere?first={first}"));
        assert_eq!(request.header(cookie).dispatch().status(), Status::Ok);
        assert_eq!(site.rows(), 0, "{first}");
    }
}

#[test]
fn a_session_that_was_ended_meanwhile_ends_no_other() {
    #[post("/ended_meanwhile")]
    fn ended_meanwhile(session: &Session, store: &State<Arc<Watched>>, own: &State<Key>) {
        session.end_others();
        assert!(store.memory.delete(own).unwrap());
    }
    let mut site = Site::new();
    let others = cookies(&mut site, 1);
    site.post("/log_in/ada");
    let rocket = rocket("{}", site.store.clone(), site.now.clone())
        .mount("/", routes![ended_meanwhile])
        .manage(site.store.clone())
        .manage(key(&site));
    let client = blocking::Client::untracked(rocket).unwrap();
    let cookie = Header::new("Cookie", site.cookie.take().unwrap());
    let answer = client.post("/ended_meanwhile").header(cookie).dispatch();
    assert_eq!(answer.status(), Status::Ok);
    assert!(signed_in(&mut site, &others[0]));
    assert_eq!(site.rows(), 1);
}
