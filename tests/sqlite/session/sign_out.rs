//! A sign-out that leaves something for the next page: the old session ends, and a new one begins.

use std::sync::Arc;

use rocket::http::{Header, Status};
use rocket::local::blocking::Client;
use rocket::{get, post, routes};
use rocket_diesel_session::store::Store;
use rocket_diesel_session::{Error, Session};

use testing::site::{self, Answer, Watched};

#[post("/begin")]
fn begin(session: &Session) -> Result<(), Error> {
    session.log_in_and_remember("ada")?;
    session.insert("secret", "of ada")?;
    session.flash("info", "of before")
}

#[post("/leave/<order>")]
async fn leave(session: &Session, order: &str) -> Result<(), Error> {
    for step in order.chars() {
        match step {
            'o' => session.log_out(),
            'f' => session.flash("success", "signed out")?,
            'i' => session.insert("language", "en")?,
            's' => session.save().await?,
            'r' => session.renew(),
            'c' => session.clear()?,
            'l' => session.log_in("grace")?,
            _ => drop(session.flashes()?),
        }
    }
    Ok(())
}

#[get("/page")]
fn page(session: &Session) -> Result<String, Error> {
    let shown = session.flashes()?;
    let shown: Vec<_> = shown.into_iter().map(|flash| flash.message).collect();
    let [secret, language] =
        ["secret", "language"].map(|key| session.get::<String>(key).ok().flatten());
    let user = session.user_id();
    Ok(format!("{user:?} {shown:?} {secret:?} {language:?}"))
}

struct Visit {
    client: Client,
    store: Arc<Watched>,
    old: String,
}

impl Visit {
    fn new() -> Self {
        let store = Arc::new(Watched::default());
        let rocket = site::rocket("{}", store.clone(), Arc::default());
        let client = Client::tracked(rocket.mount("/", routes![begin, leave, page])).unwrap();
        client.post("/begin").dispatch();
        let old = client.cookies().get("__Host-id").unwrap().to_string();
        store.calls();
        Self { client, store, old }
    }

    fn leave(&self, order: &str) -> Answer {
        Answer::of(self.client.post(format!("/leave/{order}")).dispatch())
    }

    fn page(&self) -> String {
        self.client.get("/page").dispatch().into_string().unwrap()
    }

    fn page_of_the_old_session(&self) -> String {
        let old = Header::new("Cookie", self.old.clone());
        let request = self.client.get("/page").header(old);
        request.dispatch().into_string().unwrap()
    }
}

const NOTHING: &str = "None [] None None";
const SHOWN: &str = r#"None ["signed out"] None None"#;

#[test]
fn a_message_that_is_left_at_the_sign_out_is_shown() {
    for order in [
        "of", "fo", "ofs", "osf", "fso", "orf", "ofr", "oof", "ofo", "cof",
    ] {
        let visit = Visit::new();
        assert_eq!(visit.leave(order).status, 200, "{order}");
        assert_eq!(visit.page_of_the_old_session(), NOTHING, "{order}");
        assert_eq!(visit.store.count(i64::MIN).unwrap(), 1, "{order}");
        assert_eq!(visit.page(), SHOWN, "{order}");
        assert_eq!(visit.page(), NOTHING, "{order}");
    }
}

#[test]
fn the_cookie_of_the_new_session_ends_with_the_browser() {
    let visit = Visit::new();
    let cookie = visit.leave("of").set_cookie.unwrap();
    assert!(!cookie.contains("Max-Age"), "{cookie}");
    assert_eq!(visit.store.calls(), ["load", "delete", "insert"]);
}

#[test]
fn a_value_that_is_stored_after_the_sign_out_is_kept() {
    let visit = Visit::new();
    assert_eq!(visit.leave("oi").status, 200);
    assert_eq!(visit.page(), r#"None [] None Some("en")"#);
    assert_eq!(visit.page_of_the_old_session(), NOTHING);
}

#[test]
fn a_sign_out_keeps_only_the_message_of_its_request() {
    let visit = Visit::new();
    visit.leave("ifo");
    assert_eq!(visit.page(), SHOWN);
}

#[test]
fn a_sign_out_that_leaves_nothing_begins_no_session() {
    for order in ["o", "fto", "oft", "oic"] {
        let visit = Visit::new();
        let cookie = visit.leave(order).set_cookie.unwrap();
        assert!(cookie.contains("Max-Age=0"), "{order}: {cookie}");
        assert_eq!(visit.store.count(i64::MIN).unwrap(), 0, "{order}");
    }
}

#[test]
fn a_sign_in_after_the_message_keeps_it() {
    for order in ["ofl", "fol", "olf"] {
        let visit = Visit::new();
        visit.leave(order);
        assert_eq!(visit.page_of_the_old_session(), NOTHING, "{order}");
        let expected = r#"Some("grace") ["signed out"] None None"#;
        assert_eq!(visit.page(), expected, "{order}");
    }
}

#[test]
fn a_message_that_is_left_before_another_user_signs_in_is_shown() {
    for (order, shown) in [("fl", true), ("lf", true), ("fcl", false), ("ftl", false)] {
        let visit = Visit::new();
        visit.leave(order);
        assert_eq!(visit.page_of_the_old_session(), NOTHING, "{order}");
        let message = if shown { "\"signed out\"" } else { "" };
        let expected = format!(r#"Some("grace") [{message}] None None"#);
        assert_eq!(visit.page(), expected, "{order}");
    }
}

#[test]
fn an_anonymous_visitor_gets_the_message_too() {
    let visit = Visit::new();
    visit.leave("o");
    visit.leave("of");
    assert_eq!(visit.page(), SHOWN);
}

/// A node of a cluster may be asked before it has heard of the record.
#[test]
fn the_message_does_not_spare_a_session_that_the_store_did_not_find() {
    let visit = Visit::new();
    visit
        .store
        .lags
        .store(true, std::sync::atomic::Ordering::SeqCst);
    visit.leave("of");
    assert_eq!(visit.store.calls(), ["load", "delete", "insert"]);
    assert_eq!(visit.page_of_the_old_session(), NOTHING);
    assert_eq!(visit.page(), SHOWN);
}

#[test]
fn a_sign_out_that_cannot_be_saved_is_503() {
    let visit = Visit::new();
    for successes in [1, 2] {
        visit.store.fail_after(successes, u32::MAX);
        let answer = visit.leave("of");
        assert_eq!((answer.status, answer.set_cookie), (503, None));
        visit.store.fail(0);
    }
    assert_eq!(visit.leave("of").status, 200);
    assert_eq!(visit.page(), SHOWN);
}

/// Another request has ended the session and given the browser a newer cookie.
#[test]
fn a_session_that_another_request_has_ended_takes_no_message() {
    #[post("/late")]
    async fn late(session: &Session) -> Result<Status, Error> {
        session.insert("language", "en")?;
        let _ = session.save().await;
        session.flash("info", "too late").map(|()| Status::Ok)
    }
    let store = Arc::new(Watched::default());
    let rocket = site::rocket("{}", store.clone(), Arc::default());
    let client = Client::tracked(rocket.mount("/", routes![begin, late])).unwrap();
    client.post("/begin").dispatch();
    store.against(|memory, key| {
        memory.delete(key).unwrap();
    });
    let answer = Answer::of(client.post("/late").dispatch());
    assert_eq!((answer.status, answer.set_cookie), (401, None));
    assert_eq!(store.count(i64::MIN).unwrap(), 0);
}
