//! The proofs of a user, fresh proofs, and sign-ins of two steps, on each store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rocket::http::{Header, Method};
use rocket::local::{asynchronous, blocking::Client};
use rocket::tokio::{self, sync::Barrier};
use rocket::{Build, Rocket, State, get, post, routes};
use rocket_diesel_session::sign_in::{Begun, Demand, Factor, Fresh, OneTimeCode, Proof};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site::{self, Answer, MINUTE, START};

on_every_store!(
    the_newest_proof_of_each_factor_is_kept_with_its_time,
    a_sign_in_drops_the_proofs_of_the_one_before,
    a_fresh_proof_is_demanded_by_its_age_and_its_factor,
    a_begun_sign_in_signs_nobody_in_before_its_next_factor,
    a_begun_sign_in_lives_ten_minutes,
    another_sign_in_replaces_a_begun_one,
    a_begun_sign_in_is_completed_once,
    a_form_that_is_sent_twice_begins_a_sign_in_each_time,
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

#[post("/begin/<user>")]
fn begin(session: &Session, user: &str) -> Result<(), Error> {
    session.begin_sign_in(user, Factor::Password)
}

#[get("/begun")]
fn begun(begun: Begun<'_>) -> String {
    format!("{} {}", begun.user_id(), shown(begun.proofs()))
}

#[get("/begun_or_why")]
fn begun_or_why(begun: Result<Begun<'_>, Error>) -> String {
    format!("{:?}", begun.map(drop))
}

#[post("/complete/<by>?<remember>")]
fn complete(begun: Begun<'_>, by: &str, remember: bool) -> Result<(), Error> {
    match remember {
        true => begun.complete_and_remember(factor(by)),
        false => begun.complete(factor(by)),
    }
}

/// The second guard still has the sign-in that the first one completed.
#[post("/complete_twice")]
fn complete_twice(first: Begun<'_>, second: Begun<'_>) -> Result<String, Error> {
    first.complete(Factor::OneTimeCode)?;
    Ok(format!("{:?}", second.complete(Factor::OneTimeCode)))
}

/// The guard still has the sign-in that the handler replaced.
#[post("/complete_replaced")]
fn complete_replaced(begun: Begun<'_>, session: &Session) -> Result<String, Error> {
    session.begin_sign_in("eve", Factor::Password)?;
    Ok(format!("{:?}", begun.complete(Factor::OneTimeCode)))
}

/// Begins once another request has loaded the same session.
#[post("/begin_together")]
async fn begin_together(session: &Session, both: &State<Barrier>) -> Result<(), Error> {
    both.wait().await;
    session.begin_sign_in("ada", Factor::Password)
}

/// Completes once another request has loaded the same sign-in.
#[post("/complete_together")]
async fn complete_together(
    begun: Begun<'_>,
    session: &Session,
    both: &State<Barrier>,
) -> Result<String, Error> {
    both.wait().await;
    begun.complete(Factor::OneTimeCode)?;
    let saved = session.save().await;
    Ok(format!("{:?}", saved.map_err(|error| error.kind())))
}

fn application(database: &TestDatabase, now: &Arc<AtomicI64>) -> Rocket<Build> {
    let store = database.store.clone();
    let sessions = Sessions::fairing()
        .with_store(store)
        .with_clock(site::clock(now));
    let of_users = routes![log_in, site::log_out, prove, set, clear, who, proofs, since];
    let fresh = routes![fresh, fresh_code, fresh_second_factor, fresh_or_why];
    let begun = routes![
        begin,
        begun,
        begun_or_why,
        complete,
        complete_twice,
        complete_replaced,
        begin_together,
        complete_together
    ];
    rocket::custom(site::figment("{}"))
        .manage(Barrier::new(2))
        .mount("/", of_users)
        .mount("/", fresh)
        .mount("/", begun)
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

/// Sends a POST twice at once. Returns the new cookie of each answer, and its body.
fn post_twice(
    database: &TestDatabase,
    browser: &Browser,
    path: &'static str,
) -> [(Option<String>, String); 2] {
    let (cookie, now) = (browser.cookie.clone().unwrap(), browser.now.clone());
    rocket::execute(async {
        let rocket = application(database, &now);
        let client = asynchronous::Client::untracked(rocket).await.unwrap();
        let send = || async {
            let request = client.post(path);
            let request = request.header(Header::new("Cookie", cookie.clone()));
            let answer = request.dispatch().await;
            let set = answer.headers().get_one("Set-Cookie");
            let pair = set.map(|set| set.split(';').next().unwrap().to_owned());
            (pair, answer.into_string().await.unwrap_or_default())
        };
        let (one, other) = tokio::join!(send(), send());
        [one, other]
    })
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

fn a_begun_sign_in_signs_nobody_in_before_its_next_factor(database: &TestDatabase) {
    let mut browser = Browser::new(database);
    browser.post("/set");
    let anonymous = browser.renew("/begin/ada");
    assert_eq!(browser.get("/who"), "nobody blue");
    assert_eq!(browser.get("/proofs"), "");
    assert_eq!(browser.status("/fresh"), 401);
    assert_eq!(browser.get("/begun"), "ada Password@0");
    assert_eq!(database.store.list("ada", START).unwrap(), []);
    assert_eq!(browser.get_with(&anonymous, "/begun").0, 401);
    browser.pass(MINUTE);
    browser.post("/clear");
    let pending = browser.renew("/complete/code");
    assert_eq!(browser.get("/who"), "ada none");
    assert_eq!(browser.get("/proofs"), "Password@0 OneTimeCode@1");
    assert_eq!(browser.get("/since"), "1");
    let now = START + MINUTE;
    assert_eq!(database.store.list("ada", now).unwrap().len(), 1);
    for cookie in [pending, browser.cookie.clone()] {
        let (status, why) = browser.get_with(&cookie, "/begun_or_why");
        assert_eq!(status, 200);
        assert!(
            why.starts_with("Err(NotBegun: no sign-in is begun"),
            "{why}"
        );
    }
}

fn a_begun_sign_in_lives_ten_minutes(database: &TestDatabase) {
    let mut browser = Browser::new(database);
    browser.post("/begin/ada");
    browser.pass(10 * MINUTE);
    assert_eq!(browser.get("/begun"), "ada Password@0");
    browser.pass(1);
    let why = browser.get("/begun_or_why");
    assert!(
        why.contains("NotBegun: the sign-in was begun more than 10 minutes"),
        "{why}"
    );
    assert_eq!(browser.ask(Method::Post, "/complete/code").status, 401);
    assert_eq!(browser.get("/who"), "nobody none");
    browser.renew("/begin/ada");
    browser.renew("/complete/code?remember=true");
    assert_eq!(browser.get("/who"), "ada none");
}

fn another_sign_in_replaces_a_begun_one(database: &TestDatabase) {
    let mut browser = Browser::new(database);
    browser.post("/begin/ada");
    let of_ada = browser.renew("/begin/bob");
    assert_eq!(browser.get_with(&of_ada, "/begun").0, 401);
    assert_eq!(browser.get("/begun"), "bob Password@0");
    browser.post("/complete/code");
    assert_eq!(browser.get("/who"), "bob none");
    browser.post("/set");
    browser.post("/prove/passkey");
    browser.renew("/begin/ada");
    assert_eq!(browser.get("/who"), "nobody none", "bob is signed out");
    assert_eq!(database.store.list("bob", START).unwrap(), []);
    browser.post("/log_in/eve");
    assert_eq!(browser.status("/begun"), 401, "eve signed in");
    browser.post("/begin/ada");
    let answer = browser.ask(Method::Post, "/complete_replaced");
    assert!(answer.body.starts_with("Err(NotBegun: "), "{answer:?}");
    assert_eq!(browser.get("/begun"), "eve Password@0");
    browser.post("/log_in/eve");
    assert_eq!(browser.get("/proofs"), "Unstated@0");
}

fn a_begun_sign_in_is_completed_once(database: &TestDatabase) {
    let mut browser = Browser::new(database);
    browser.post("/begin/ada");
    let answer = browser.ask(Method::Post, "/complete_twice");
    assert!(answer.body.starts_with("Err(NotBegun: "), "{answer:?}");
    assert_eq!(browser.get("/who"), "ada none");
    browser.post("/log_out");
    browser.post("/begin/ada");
    let mut answers = post_twice(database, &browser, "/complete_together").map(|it| it.1);
    answers.sort();
    assert_eq!(answers, ["Err(Gone)", "Ok(())"]);
    assert_eq!(database.store.list("ada", START).unwrap().len(), 1);
}

fn a_form_that_is_sent_twice_begins_a_sign_in_each_time(database: &TestDatabase) {
    let mut browser = Browser::new(database);
    browser.post("/set");
    let answers = post_twice(database, &browser, "/begin_together");
    for (cookie, _) in answers {
        assert!(
            cookie.is_some(),
            "each answer may be the one that the browser keeps"
        );
        let begun = browser.get_with(&cookie, "/begun");
        assert_eq!(begun, (200, "ada Password@0".to_owned()));
    }
}
