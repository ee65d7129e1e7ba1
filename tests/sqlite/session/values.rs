//! Typed data, messages for the next page, and data of an earlier release.

use std::sync::Arc;

use rocket::error::ErrorKind;
use rocket::serde::json::{Value, from_str, json};
use rocket_diesel_session::store::Store;
use rocket_diesel_session::{Error, Sessions};

use testing::site::*;

/// A change of the record by another request just before an update, once.
fn rival_stores(site: &Site, rival: Rival) {
    site.store.against(rival);
}

fn once(memory: &dyn Store, key: &rocket_diesel_session::Key, change: impl Fn(&str) -> String) {
    let before = memory.load(key, START).unwrap().unwrap();
    // The session's own versions are drawn.
    if before.version != 1 {
        let (data, version) = (change(&before.data), 1);
        let after = testing::changed!(before.clone(), data, version);
        memory.update(key, before.version, &after).unwrap();
    }
}

fn data(site: &Site) -> Value {
    let record = site.store.memory.load(&key(site), START).unwrap();
    from_str(&record.unwrap().data).unwrap()
}

#[test]
fn all_values_together_are_one_struct() {
    let mut site = Site::new();
    assert_eq!(site.get("/cart").body, "[] {} None");
    assert_eq!(site.post("/cart/7?voucher=spring").body, "[7]");
    site.post("/set/blue");
    assert_eq!(site.post("/cart/9").body, "[7, 9]");
    assert_eq!(site.get("/cart").body, "[7, 9] {7: 14, 9: 18} None");
    assert_eq!(
        site.get("/get").body,
        "Some(\"blue\")",
        "not a field of the struct"
    );
    assert_eq!(
        data(&site),
        json!({"cart":[7,9],"key":"blue","prices":{"7":14,"9":18}}),
        "a field that is no longer there leaves nothing behind"
    );
}

#[test]
fn a_change_to_the_struct_is_made_again_and_nothing_is_lost() {
    let mut site = Site::new();
    site.post("/cart/1");
    rival_stores(&site, |memory, key| {
        once(memory, key, |_| {
            r#"{"cart":[1,2],"prices":{"2":4},"key":"red"}"#.into()
        });
    });
    site.post("/cart/3");
    assert_eq!(site.get("/cart").body, "[1, 2, 3] {2: 4, 3: 6} None");
    assert_eq!(site.get("/get").body, "Some(\"red\")");
}

#[test]
fn a_message_is_shown_once() {
    let mut site = Site::new();
    assert_eq!(site.get("/flashes").body, "");
    assert_eq!(site.rows(), 0, "asking for messages stores nothing");
    site.post("/flash/one");
    site.post("/flash/two");
    assert_eq!(
        data(&site)["@flash"][0]["message"],
        "one",
        "kept on the server"
    );
    assert_eq!(site.get("/flashes").body, "success: one\nsuccess: two\n");
    assert_eq!(site.get("/flashes").body, "");
    assert_eq!(data(&site), json!({}));
}

#[test]
fn a_message_that_comes_while_others_are_shown_waits_for_the_next_page() {
    let mut site = Site::new();
    site.post("/flash/one");
    rival_stores(&site, |memory, key| {
        once(memory, key, |data| {
            data.replace("}]", r#"},{"kind":"info","message":"late"}]"#)
        });
    });
    assert_eq!(site.get("/flashes").body, "success: one\n");
    assert_eq!(site.get("/flashes").body, "info: late\n");
}

#[test]
fn names_of_the_library_s_own_are_refused() {
    let mut site = Site::new();
    let refused = site.post("/reserved").body;
    for name in ["@flash", "@schema", "@remembered"] {
        assert!(
            refused.contains(&format!("the session value {name:?} has a name")),
            "{refused}"
        );
    }
    assert_eq!(site.rows(), 0);
}

fn renamed(sessions: Sessions) -> Sessions {
    sessions.with_schema(2, |from, data| {
        if from < 1 {
            let value = data.remove("colour").ok_or("there is no colour")?;
            data.insert("key".into(), value);
        }
        Ok(())
    })
}

fn with_data(user: &str, data: &str) -> (Arc<Watched>, String) {
    let mut old = Site::new();
    old.post("/log_in/ada");
    let before = old.store.memory.load(&key(&old), START).unwrap().unwrap();
    let (data, user_id) = (data.to_owned(), Some(user.to_owned()));
    let after = testing::changed!(before.clone(), data, user_id);
    old.store
        .memory
        .update(&before.key, before.version, &after)
        .unwrap();
    (old.store.clone(), old.cookie.unwrap())
}

fn newer(data: &str) -> Site {
    let (store, cookie) = with_data("ada", data);
    let mut site = Site::on(store, "{}", renamed);
    site.cookie = Some(cookie);
    site
}

#[test]
fn data_of_an_earlier_release_is_brought_up_to_date() {
    let mut site = newer(r#"{"colour":"blue"}"#);
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    assert_eq!(
        data(&site),
        json!({"colour":"blue"}),
        "reading writes nothing"
    );
    site.post("/count");
    assert_eq!(data(&site), json!({"@schema":2,"count":1,"key":"blue"}));
    assert_eq!(
        site.get("/get").body,
        "Some(\"blue\")",
        "and is not upgraded twice"
    );
}

#[test]
fn data_that_cannot_be_brought_up_to_date_is_dropped_and_the_user_stays() {
    let mut site = newer(r#"{"color":"blue"}"#);
    assert_eq!(
        (
            site.get("/get").body.as_str(),
            site.get("/who").body.as_str()
        ),
        ("None", "ada")
    );
}

#[test]
fn data_of_a_later_release_is_left_as_it_is() {
    let mut site = newer(r#"{"@schema":3,"colour":"blue","key":"red"}"#);
    assert_eq!(site.get("/get").body, "Some(\"red\")");
    site.post("/set/green");
    assert_eq!(
        data(&site),
        json!({"@schema":3,"colour":"blue","key":"green"})
    );
}

#[test]
fn a_change_that_is_made_again_meets_upgraded_data() {
    let mut site = newer(r#"{"colour":"blue"}"#);
    rival_stores(&site, |memory, key| {
        let before = memory.load(key, START).unwrap().unwrap();
        if before.version != 2 {
            let data = r#"{"colour":"red"}"#.to_owned();
            let after = testing::changed!(before.clone(), data, version: 2);
            memory.update(key, before.version, &after).unwrap();
        }
    });
    site.post("/count");
    assert_eq!(data(&site), json!({"@schema":2,"count":1,"key":"red"}));
}

#[test]
fn a_schema_is_no_reason_to_store_a_session() {
    let mut site = Site::on(Arc::default(), "{}", renamed);
    site.post("/set_and_remove");
    assert_eq!(site.rows(), 0);
    site.post("/set/blue");
    assert_eq!(data(&site), json!({"@schema":2,"key":"blue"}));
}

#[test]
fn tokens_come_from_the_generator_of_the_application() {
    let drawn = std::sync::atomic::AtomicU64::new(7);
    let drawn = Arc::new(drawn);
    let mut site = Site::on(Arc::default(), "{}", move |sessions| {
        let drawn = drawn.clone();
        sessions.with_token_generator(move || {
            let number = drawn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok([[number.to_be_bytes(); 2].concat(), b"shard-17".to_vec()]
                .concat()
                .try_into()
                .unwrap()) as Result<[u8; 24], Error>
        })
    });
    site.post("/set/blue");
    // Two were drawn at launch; base64url of 0…9, 0…9, "shard-17"
    assert_eq!(
        site.cookie.as_deref(),
        Some("__Host-id=AAAAAAAAAAkAAAAAAAAACXNoYXJkLTE3")
    );
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    site.store.calls();
    site.cookie = Some(format!("__Host-id={}", invented_token()));
    site.get("/get");
    assert!(
        site.store.calls().is_empty(),
        "43 characters are no token here"
    );
}

#[test]
fn a_generator_that_repeats_itself_stops_the_launch() {
    let sessions = Sessions::fairing()
        .with_store(Arc::<Watched>::default())
        .with_token_generator(|| Ok([7; 32]));
    let launched = rocket::execute(rocket::build().attach(sessions).ignite());
    let error = launched.map(drop).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::FailedFairings(_)),
        "{error}"
    );
}
