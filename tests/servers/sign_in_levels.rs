//! How and when a user was proved, and fresh proofs, on each store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use rocket::http::{Header, Method};
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, get, post, routes};
use rocket_diesel_session::sign_in::{Demand, Factor, Fresh, OneTimeCode, Proof};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::database::TestDatabase;
use testing::site::{self, Answer, MINUTE, START};
use testing::{on_every_backend, on_redis};

on_every_backend!(
    the_newest_proof_of_each_factor_is_kept_with_its_time,
    a_sign_in_drops_the_proofs_of_the_one_before,
    a_fresh_proof_is_demanded_by_its_age_and_its_factor,
);
on_redis!(
    the_newest_proof_of_each_factor_is_kept_with_its_time,
    a_sign_in_drops_the_proofs_of_the_one_before,
    a_fresh_proof_is_demanded_by_its_age_and_its_factor,
);

fn factor(word: &str) -> Factor {
    match word {
        "password" => Factor::Password,
        "code" => Factor::OneTimeCode,
        "passkey" => Factor::Passkey,
        "provider" => Factor::Provider,
        word => Factor::Other(word.into()),
    }
}

/// The factors with the minutes since the start.
fn shown(proofs: Vec<Proof>) -> String {
    let minute = |proof: &Proof| (proof.at.timestamp_millis() - START) / MINUTE;
    let shown = proofs
        .iter()
        .map(|proof| format!("{:?}@{}", proof.factor, minute(proof)));
    shown.collect::<Vec<_>>().join(" ")
}

#[post("/log_in/<user>?<by>")]
fn log_in(session: &Session, user: &str, by: Option<&str>) -> Result<(), Error> {
    session.log_in(user)?;
    by.map_or(Ok(()), |by| session.add_proof(factor(by)))
}

#[post("/log_out")]
fn log_out(session: &Session) {
    session.log_out();
}

#[post("/prove/<by>")]
fn prove(session: &Session, by: &str) -> Result<(), Error> {
    session.add_proof(factor(by))
}

#[post("/set")]
fn set(session: &Session) -> Result<(), Error> {
    session.insert("colour", "blue")
}

#[post("/clear")]
fn clear(session: &Session) -> Result<(), Error> {
    session.clear()
}

#[get("/who")]
fn who(session: &Session) -> Result<String, Error> {
    let user = session.user_id().unwrap_or_else(|| "nobody".into());
    let colour: Option<String> = session.get("colour")?;
    Ok(format!("{user} {}", colour.unwrap_or("none".into())))
}

#[get("/proofs")]
fn proofs(session: &Session) -> String {
    shown(session.proofs())
}

#[get("/since")]
fn since(session: &Session) -> String {
    let since = session.signed_in_at().timestamp_millis() - START;
    (since / MINUTE).to_string()
}

struct SecondFactor;

impl Demand for SecondFactor {
    fn accepts(factor: &Factor) -> bool {
        matches!(factor, Factor::OneTimeCode | Factor::Passkey)
    }
}

#[get("/fresh")]
fn fresh(_fresh: Fresh<10>) {}

#[get("/fresh_code")]
fn fresh_code(_fresh: Fresh<10, OneTimeCode>) {}

#[get("/fresh_second_factor")]
fn fresh_second_factor(_fresh: Fresh<5, SecondFactor>) {}

#[get("/fresh_or_why")]
fn fresh_or_why(fresh: Result<Fresh<10>, Error>) -> String {
    format!("{:?}", fresh.map(drop))
}

fn application(database: &TestDatabase, now: &Arc<AtomicI64>) -> Rocket<Build> {
    let clock = now.clone();
    let time = move || DateTime::from_timestamp_millis(clock.load(Ordering::SeqCst)).unwrap();
    let store = database.store.clone();
    let sessions = Sessions::fairing().with_store(store).with_clock(time);
    let of_users = routes![log_in, log_out, prove, set, clear, who, proofs, since];
    let fresh = routes![fresh, fresh_code, fresh_second_factor, fresh_or_why];
    rocket::custom(site::figment("{}"))
        .mount("/", of_users)
        .mount("/", fresh)
        .attach(sessions)
}

/// A browser that keeps one cookie, and the time of the application.
struct Browser {
    client: Client,
    now: Arc<AtomicI64>,
    cookie: Option<String>,
}

impl Browser {
    fn new(database: &TestDatabase) -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let client = Client::untracked(application(database, &now)).unwrap();
        let cookie = None;
        Self {
            client,
            now,
            cookie,
        }
    }

    fn pass(&self, time: i64) {
        self.now.fetch_add(time, Ordering::SeqCst);
    }

    fn ask(&mut self, method: Method, path: &'static str) -> Answer {
        let mut request = self.client.req(method, path);
        if let Some(cookie) = &self.cookie {
            request.add_header(Header::new("Cookie", cookie.clone()));
        }
        let answer = Answer::of(request.dispatch());
        if let Some(set) = &answer.set_cookie {
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = (!set.contains("Max-Age=0")).then_some(pair);
        }
        answer
    }

    fn post(&mut self, path: &'static str) {
        let answer = self.ask(Method::Post, path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }

    fn get(&mut self, path: &'static str) -> String {
        let answer = self.ask(Method::Get, path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    fn status(&mut self, path: &'static str) -> u16 {
        self.ask(Method::Get, path).status
    }

    /// Sends a POST that gives the session a new token. Returns the cookie with the old one.
    fn renew(&mut self, path: &'static str) -> Option<String> {
        let before = self.cookie.clone();
        self.post(path);
        assert!(self.cookie.is_some(), "{path}");
        assert_ne!(self.cookie, before, "{path}");
        before
    }

    /// Asks with another cookie.
    fn get_with(&mut self, cookie: &Option<String>, path: &'static str) -> (u16, String) {
        let current = std::mem::replace(&mut self.cookie, cookie.clone());
        let answer = self.ask(Method::Get, path);
        self.cookie = current;
        (answer.status, answer.body)
    }
}

fn the_newest_proof_of_each_factor_is_kept_with_its_time(database: &TestDatabase) {
    let mut browser = Browser::new(database);
    assert_eq!(browser.get("/proofs"), "");
    let refused = browser.ask(Method::Post, "/prove/password");
    assert_eq!((refused.status, refused.set_cookie), (401, None));
    browser.post("/log_in/ada");
    assert_eq!(browser.get("/proofs"), "Unstated@0");
    browser.pass(MINUTE);
    let old = browser.renew("/prove/password");
    assert_eq!(browser.get("/proofs"), "Password@1");
    let of_nobody = (200, "nobody none".to_owned());
    assert_eq!(browser.get_with(&old, "/who"), of_nobody);
    browser.pass(MINUTE);
    browser.renew("/prove/code");
    assert_eq!(browser.get("/proofs"), "Password@1 OneTimeCode@2");
    browser.pass(MINUTE);
    browser.renew("/prove/password");
    browser.renew("/prove/mail");
    let all = r#"OneTimeCode@2 Password@3 Other("mail")@3"#;
    assert_eq!(browser.get("/proofs"), all);
    assert_eq!(browser.get("/since"), "0", "a proof is no sign-in");
    browser.post("/set");
    browser.post("/clear");
    assert_eq!(browser.get("/proofs"), all, "they are no values");
    assert_eq!(browser.get("/who"), "ada none");
}

fn a_sign_in_drops_the_proofs_of_the_one_before(database: &TestDatabase) {
    let mut browser = Browser::new(database);
    browser.post("/log_in/ada?by=passkey");
    assert_eq!(browser.get("/proofs"), "Passkey@0");
    browser.pass(MINUTE);
    browser.post("/log_in/ada?by=provider");
    assert_eq!(browser.get("/proofs"), "Provider@1");
    browser.post("/log_in/bob");
    assert_eq!(browser.get("/proofs"), "Unstated@1");
    browser.post("/log_in/bob?by=password");
    browser.post("/log_out");
    assert_eq!(browser.get("/proofs"), "");
    browser.post("/log_in/bob");
    assert_eq!(browser.get("/proofs"), "Unstated@1");
}

fn a_fresh_proof_is_demanded_by_its_age_and_its_factor(database: &TestDatabase) {
    let mut browser = Browser::new(database);
    let paths = ["/fresh", "/fresh_code", "/fresh_second_factor"];
    let statuses = |browser: &mut Browser| paths.map(|path| browser.status(path));
    assert_eq!(statuses(&mut browser), [401; 3], "anonymous");
    browser.post("/log_in/ada");
    assert_eq!(statuses(&mut browser), [200, 403, 403], "a sign-in");
    browser.pass(10 * MINUTE);
    assert_eq!(statuses(&mut browser), [200, 403, 403], "ten minutes");
    browser.pass(1);
    assert_eq!(statuses(&mut browser), [403; 3], "no longer");
    let why = "Err(NotFresh: no factor that this needs was proved within the last 10 minutes; \
               confirm one)";
    assert_eq!(browser.get("/fresh_or_why"), why);
    browser.post("/prove/code");
    assert_eq!(statuses(&mut browser), [200; 3], "a code");
    browser.pass(5 * MINUTE);
    browser.post("/prove/password");
    browser.pass(1);
    assert_eq!(statuses(&mut browser), [200, 200, 403], "five minutes");
    browser.pass(5 * MINUTE);
    assert_eq!(statuses(&mut browser), [200, 403, 403], "the password");
    browser.post("/prove/passkey");
    assert_eq!(statuses(&mut browser), [200, 403, 200], "a passkey");
}
