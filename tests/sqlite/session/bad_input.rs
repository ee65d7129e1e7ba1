//! Garbage from browsers, handlers and tables.

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket::{get, post, routes};
use rocket_diesel_session::store::{Record, Store};
use rocket_diesel_session::{ErrorKind, Session};

use testing::site::*;

#[test]
fn cve_2016_3171_data_over_the_limit_is_refused_and_never_cut() {
    let mut site = Site::with("{max_data=\"1KiB\"}");
    site.post("/set/blue");
    assert_eq!(site.post("/fill/2000").status, 413);
    assert_eq!(
        site.post("/fill_and_go_on/2000").body,
        format!("Err({:?})", ErrorKind::TooLarge)
    );
    // {"big":"","key":"blue"} takes 23 bytes.
    assert_eq!(
        site.post("/fill_and_go_on/1002").body,
        format!("Err({:?})", ErrorKind::TooLarge)
    );
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    assert_eq!(site.post("/fill/1001").status, 200);
}

#[test]
fn garbage_in_the_store_ends_that_session_and_no_other() {
    let mut site = Site::new();
    site.post("/log_in/grace");
    let other = site.cookie.take();
    let changes: [fn(&mut Record); 12] = [
        |record| record.data = String::new(),
        |record| record.data = "garbage".into(),
        |record| record.data = r#"{"cut":"#.into(),
        |record| record.data = "[]".into(),
        |record| record.data = "null".into(),
        |record| record.data = "[".repeat(10_000),
        |record| record.expires_at = 0,
        |record| record.expires_at = i64::MIN,
        |record| record.created_at = START + 25 * HOUR,
        |record| {
            (record.expires_at, record.deadline, record.created_at) =
                (i64::MAX, i64::MAX, START - 24 * HOUR)
        },
        |record| record.deadline = -1,
        |record| record.created_at = i64::MIN,
    ];
    for change in changes {
        site.cookie = None;
        site.post("/log_in/ada");
        let key = key(&site);
        let mut record = site.store.memory.load(&key, START).unwrap().unwrap();
        site.store.memory.delete(&key).unwrap();
        change(&mut record);
        site.store.memory.insert(&record).unwrap();
        let answer = site.get("/who");
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "nobody"),
            "{:.60}",
            format!("{record:?}")
        );
        assert_eq!(site.post("/log_in/ada").status, 200);
        assert_eq!(site.get("/who").body, "ada");
    }
    site.cookie = other;
    assert_eq!(site.get("/who").body, "grace");
}

#[test]
fn extreme_versions_and_times_do_not_overflow() {
    let mut site = Site::new();
    site.post("/count");
    let key = key(&site);
    let mut record = site.store.memory.load(&key, START).unwrap().unwrap();
    site.store.memory.delete(&key).unwrap();
    (record.version, record.expires_at, record.deadline) = (i64::MAX, i64::MAX, i64::MAX);
    site.store.memory.insert(&record).unwrap();
    assert_eq!(site.post("/count").body, "2");
    assert_eq!(site.post("/count").body, "3");
    site.pass(24 * HOUR);
    assert_eq!(
        site.post("/count").body,
        "1",
        "the absolute time-out holds whatever the row says"
    );
}

#[test]
fn malformed_cookies_reach_no_store_make_no_row_and_get_no_cookie() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let good = site
        .cookie
        .clone()
        .unwrap()
        .split_once('=')
        .unwrap()
        .1
        .to_owned();
    let (rows, flipped) = (site.rows(), flip_case(&good));
    for (header, calls) in [
        (format!("__Host-id={flipped}"), &["load"][..]),
        (format!("__Host-id={}", "A".repeat(43)), &["load"]),
        (format!("__Host-id={}", key(&site).as_str()), &[]),
        ("__Host-id=".into(), &[]),
        (format!("__Host-id=\"{good}\""), &[]),
        (format!("__Host-id={good}x"), &[]),
        (format!("__Host-id={good}="), &[]),
        (format!("__Host-id={good}; __Host-id={flipped}"), &[]),
        (format!("__%48ost-id={good}"), &[]),
        (format!("id={good}"), &[]),
        ("__Host-id=' OR 1=1--".into(), &[]),
    ] {
        site.store.calls();
        let answer = Answer::of(
            site.client
                .get("/who")
                .header(Header::new("Cookie", header.clone()))
                .dispatch(),
        );
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "nobody"),
            "{header}"
        );
        assert_eq!(answer.set_cookie, None, "{header}");
        assert_eq!(site.store.calls(), calls, "{header}");
    }
    assert_eq!(site.rows(), rows);
    let both = format!("__%48ost-id={flipped}; __Host-id={good}");
    assert_eq!(
        Answer::of(
            site.client
                .get("/who")
                .header(Header::new("Cookie", both))
                .dispatch()
        )
        .body,
        "ada"
    );
}

#[test]
fn the_cookie_of_another_application_is_none() {
    let (mut one, mut other) = (Site::new(), Site::with("{cookie={name=\"other\"}}"));
    one.post("/log_in/ada");
    other.post("/log_in/grace");
    let cookies = [&one, &other].map(|site| site.cookie.clone().unwrap());
    other.store.calls();
    other.cookie = Some(cookies[0].clone());
    assert_eq!(other.get("/who").body, "nobody");
    assert!(other.store.calls().is_empty());
    other.cookie = Some(cookies[0].replace("__Host-id", "__Host-other"));
    assert_eq!(other.get("/who").body, "nobody");
    other.cookie = Some(cookies.join("; "));
    assert_eq!(other.get("/who").body, "grace");
}

#[test]
fn tokens_of_the_past_open_nothing() {
    let mut site = Site::new();
    site.post("/set/blue");
    let mut past = vec![site.cookie.clone()];
    for uri in [
        "/log_in/ada",
        "/renew?drop=false",
        "/end_others",
        "/log_in/ada",
    ] {
        site.post(uri);
        past.push(site.cookie.clone());
    }
    site.post("/log_out");
    site.post("/log_in/ada");
    past.push(site.cookie.clone());
    site.pass(2 * HOUR);
    for cookie in past {
        site.cookie = cookie.clone();
        let answer = site.get("/who");
        assert_eq!((answer.body.as_str(), answer.set_cookie), ("nobody", None));
        site.post("/set/red");
        assert_ne!(site.cookie, cookie);
    }
}

#[test]
fn cve_2018_1000519_a_made_up_token_is_never_adopted() {
    let mut site = Site::new();
    for _ in 0..100 {
        let invented = format!("__Host-id={}", invented_token());
        site.cookie = Some(invented.clone());
        assert!(site.post("/log_in/ada").set_cookie.is_some());
        assert_ne!(site.cookie.as_ref(), Some(&invented));
        site.cookie = Some(invented);
        assert_eq!(site.get("/who").body, "nobody");
    }
}

#[test]
fn values_that_json_cannot_hold_are_refused() {
    #[post("/odd")]
    fn odd(session: &Session) -> String {
        let mut deep = rocket::serde::json::json!(1);
        for _ in 0..127 {
            deep = rocket::serde::json::json!([deep]);
        }
        let kinds = [
            session.insert("i128", i128::MAX),
            session.insert("deep", &deep),
            session.insert("map", std::collections::HashMap::from([((1, 2), 3)])),
            session.log_in("").map(drop),
            session.log_in("x".repeat(65)),
            session.log_in("a\0b"),
        ];
        let refused = kinds.iter().all(|kind| {
            kind.as_ref()
                .is_err_and(|error| error.kind() == ErrorKind::Value)
        });
        let kept = [
            session.insert("deep", &deep[0]),
            session.insert("nul", "a\0b"),
            session.insert("emoji", "🦀"),
            session.insert("float", 0.1 + 0.2),
            session.insert("nan", f64::NAN),
        ];
        format!(
            "{refused} {} {:?} {:?}",
            kept.iter().all(Result::is_ok),
            session.get::<u8>("nul").map_err(|e| e.kind()),
            session.get::<f64>("nan").map_err(|e| e.kind())
        )
    }
    #[get("/odd")]
    fn read_odd(session: &Session) -> String {
        format!(
            "{:?} {:?}",
            session.get::<String>("nul").unwrap(),
            session.get::<f64>("float").unwrap()
        )
    }
    let mut site = Site::new();
    site.client = Client::untracked(
        rocket("{}", site.store.clone(), site.now.clone()).mount("/", routes![odd, read_odd]),
    )
    .unwrap();
    assert_eq!(site.post("/odd").body, "true true Err(Value) Err(Value)");
    assert_eq!(
        site.get("/odd").body,
        r#"Some("a\0b") Some(0.30000000000000004)"#
    );
}
