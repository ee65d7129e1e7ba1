//! What routes, browsers and stores see of sessions: rows S1 to S21 of the feature list, over HTTP.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test panics where it fails"
)]

mod support;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::DateTime;
use rocket::http::{Header, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, Request, Rocket, catch, catchers, get, post, routes};
use rocket_diesel_session::{
    Error, ErrorKind, Inserted, Key, MemoryStore, Record, Session, Sessions, Store, Token, Updated,
};

const START: i64 = 1_790_000_000_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A memory store that writes down its calls, and that can be switched off.
#[derive(Default)]
struct Watched {
    memory: MemoryStore,
    calls: Mutex<Vec<&'static str>>,
    down: AtomicBool,
    /// What another request does just before an update of ours.
    rival: Mutex<Option<Rival>>,
}

type Rival = fn(&MemoryStore, &Key);

impl Watched {
    fn call(&self, verb: &'static str) -> Result<&MemoryStore, Error> {
        self.calls.lock().unwrap().push(verb);
        match self.down.load(Ordering::SeqCst) {
            true => Err(Error::unavailable("switched off")),
            false => Ok(&self.memory),
        }
    }

    fn against(&self, rival: Rival) {
        *self.rival.lock().unwrap() = Some(rival);
    }

    fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Store for Watched {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        self.call("load")?.load(key, now)
    }
    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        self.call("insert")?.insert(record)
    }
    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        if let Some(rival) = *self.rival.lock().unwrap() {
            rival(&self.memory, key);
        }
        self.call("update")?.update(key, version, record)
    }
    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        self.call("touch")?.touch(key, seen_at, expires_at)
    }
    fn delete(&self, key: &Key) -> Result<bool, Error> {
        self.call("delete")?.delete(key)
    }
    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        self.memory.list(user_id, now)
    }
    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        self.memory.delete_all(user_id, except)
    }
    fn sweep(&self, now: i64, limit: u32) -> Result<u64, Error> {
        self.memory.sweep(now, limit)
    }
    fn count(&self, now: i64) -> Result<u64, Error> {
        self.memory.count(now)
    }
    fn clear(&self) -> Result<u64, Error> {
        self.memory.clear()
    }
}

#[get("/public")]
fn public() -> &'static str {
    "public"
}

#[get("/get")]
fn get_value(session: &Session) -> Result<String, Error> {
    Ok(format!("{:?}", session.get::<String>("key")?))
}

#[post("/set/<value>")]
fn set(session: &Session, value: &str) -> Result<(), Error> {
    session.insert("key", value)
}

#[post("/set_and_remove")]
fn set_and_remove(session: &Session) -> Result<(), Error> {
    session.insert("key", 1)?;
    session.remove("key")
}

#[post("/count")]
fn count(session: &Session) -> Result<String, Error> {
    Ok(session.update("count", |n: u64| n + 1)?.to_string())
}

#[post("/log_in/<user>")]
fn log_in(session: &Session, user: &str) -> Result<(), Error> {
    session.log_in(user)
}

#[post("/log_out")]
fn log_out(session: &Session) {
    session.log_out();
}

#[get("/who")]
fn who(session: &Session) -> String {
    session.user_id().unwrap_or_else(|| "nobody".into())
}

#[post("/renew?<drop>")]
fn renew(session: &Session, drop: bool) -> Result<(), Error> {
    if drop {
        session.clear()?;
    }
    session.renew();
    Ok(())
}

#[post("/touch")]
fn touch(session: &Session) {
    session.touch();
}

#[post("/save")]
async fn save(session: &Session) -> Result<String, Error> {
    session.insert("key", "saved")?;
    session.save().await?;
    Ok(format!("{:?}", session.short_key()))
}

#[post("/set_and_reload")]
async fn set_and_reload(session: &Session) -> Result<String, Error> {
    session.insert("key", "not kept")?;
    session.reload().await?;
    Ok(format!("{:?}", session.get::<String>("key")?))
}

#[post("/fill/<bytes>")]
fn fill(session: &Session, bytes: usize) -> Result<(), Error> {
    session.insert("big", "x".repeat(bytes))
}

#[post("/fill_and_go_on/<bytes>")]
fn fill_and_go_on(session: &Session, bytes: usize) -> String {
    format!(
        "{:?}",
        session
            .insert("big", "x".repeat(bytes))
            .map_err(|error| error.kind())
    )
}

#[post("/fail_after_log_in")]
fn fail_after_log_in(session: &Session) -> Result<Status, Error> {
    session.log_in("ada")?;
    Ok(Status::ImATeapot)
}

#[post("/panic")]
fn panics(session: &Session) -> String {
    session.insert("key", "before the panic").unwrap();
    panic!("as ordered");
}

#[get("/lifetime")]
fn lifetime(session: &Session) -> String {
    let (expires, deadline) = (
        session.expires_at().timestamp_millis(),
        session.deadline().timestamp_millis(),
    );
    format!(
        "{} {} {}",
        expires - START,
        deadline - START,
        session.is_new()
    )
}

#[get("/cached")]
fn cached(session: &Session) -> (rocket::http::ContentType, WithHeader) {
    let _ = session;
    (
        rocket::http::ContentType::Plain,
        WithHeader(
            "cached",
            Header::new("Cache-Control", "private, max-age=60"),
        ),
    )
}

#[derive(rocket::Responder)]
struct WithHeader(&'static str, Header<'static>);

#[catch(default)]
fn own_page(status: Status, request: &Request<'_>) -> String {
    format!("own page {} for {}", status.code, request.uri())
}

/// An application with its store, its clock and one browser that keeps one cookie.
struct Site {
    client: Client,
    store: Arc<Watched>,
    now: Arc<AtomicI64>,
    cookie: Option<String>,
}

impl Site {
    fn new() -> Self {
        Self::with("{}")
    }

    /// `session` is what ROCKET_SESSION would hold.
    fn with(session: &str) -> Self {
        let store = Arc::new(Watched::default());
        let now = Arc::new(AtomicI64::new(START));
        let client = Client::untracked(rocket(session, store.clone(), now.clone())).unwrap();
        store.calls();
        Self {
            client,
            store,
            now,
            cookie: None,
        }
    }

    fn pass(&self, time: i64) {
        self.now.fetch_add(time, Ordering::SeqCst);
    }

    fn get(&mut self, uri: &'static str) -> Answer {
        let answer = self.ask(self.client.get(uri));
        self.keep(answer)
    }

    fn post(&mut self, uri: &'static str) -> Answer {
        let answer = self.ask(self.client.post(uri));
        self.keep(answer)
    }

    fn ask(&self, mut request: rocket::local::blocking::LocalRequest<'_>) -> Answer {
        if let Some(cookie) = &self.cookie {
            request.add_header(Header::new("Cookie", cookie.clone()));
        }
        Answer::of(request.dispatch())
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        if let Some(set) = &answer.set_cookie {
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = (!set.contains("Max-Age=0")).then_some(pair);
        }
        answer
    }

    fn rows(&self) -> u64 {
        self.store.memory.count(i64::MIN).unwrap()
    }
}

fn rocket(session: &str, store: Arc<Watched>, now: Arc<AtomicI64>) -> Rocket<Build> {
    let session: rocket::figment::value::Value = session.parse().unwrap();
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("session", session));
    let clock = move || DateTime::from_timestamp_millis(now.load(Ordering::SeqCst)).unwrap();
    let routes = routes![
        public,
        get_value,
        set,
        set_and_remove,
        count,
        log_in,
        log_out,
        who,
        renew,
        touch,
        save,
        set_and_reload,
        fill,
        fill_and_go_on,
        fail_after_log_in,
        panics,
        lifetime,
        cached
    ];
    rocket::custom(figment)
        .mount("/", routes)
        .register("/", catchers![own_page])
        .attach(Sessions::fairing().with_store(store).with_clock(clock))
}

#[derive(Debug)]
struct Answer {
    status: u16,
    set_cookie: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn of(response: LocalResponse<'_>) -> Self {
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|header| (header.name().to_string(), header.value().to_owned()))
            .collect();
        let cookies: Vec<_> = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .map(|(_, value)| value)
            .collect();
        assert!(cookies.len() <= 1, "{cookies:?}");
        let set_cookie = cookies.first().map(|value| value.to_string());
        Self {
            status: response.status().code,
            set_cookie,
            headers,
            body: response.into_string().unwrap_or_default(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

#[test]
fn s1_a_value_is_kept_for_one_browser() {
    let mut site = Site::new();
    let answer = site.post("/set/blue");
    let cookie = answer.set_cookie.unwrap();
    let token = cookie
        .strip_prefix("__Host-id=")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(
        cookie,
        format!("__Host-id={token}; HttpOnly; SameSite=Lax; Secure; Path=/")
    );
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    let stranger = site.cookie.take();
    assert_eq!(site.get("/get").body, "None");
    site.cookie = stranger;
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
}

#[test]
fn s2_s3_every_cookie_attribute_and_the_prefix() {
    for (settings, expected) in [
        (
            "{cookie={secure=false}}",
            "id=T; HttpOnly; SameSite=Lax; Path=/",
        ),
        (
            "{cookie={secure=\"auto\"}}",
            "id=T; HttpOnly; SameSite=Lax; Path=/",
        ),
        (
            "{cookie={http_only=false,same_site=\"strict\"}}",
            "__Host-id=T; SameSite=Strict; Secure; Path=/",
        ),
        (
            "{cookie={same_site=\"none\",partitioned=true,priority=\"high\"}}",
            "__Host-id=T; HttpOnly; SameSite=None; Partitioned; Secure; Path=/; Priority=High",
        ),
        (
            "{cookie={name=\"sid\",path=\"/app\"}}",
            "__Secure-sid=T; HttpOnly; SameSite=Lax; Secure; Path=/app",
        ),
        (
            "{cookie={domain=\"example.org\"}}",
            "__Secure-id=T; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.org",
        ),
        (
            "{persistent=true}",
            "__Host-id=T; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=7200",
        ),
        (
            "{persistent=true,idle_timeout=\"24h\",absolute_timeout=\"24h\"}",
            "__Host-id=T; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=86400",
        ),
    ] {
        let cookie = Site::with(settings).post("/set/x").set_cookie.unwrap();
        let (name, rest) = cookie.split_once('=').unwrap();
        assert_eq!(format!("{name}=T{}", &rest[43..]), expected, "{settings}");
    }
}

#[test]
fn s2_secure_auto_believes_a_trusted_proxy_alone() {
    let forwarded = |settings: &str, remote: &str| {
        let site = Site::with(settings);
        let request = site
            .client
            .post("/set/x")
            .header(Header::new("X-Forwarded-Proto", "https"));
        Answer::of(request.remote(remote.parse().unwrap()).dispatch())
            .set_cookie
            .unwrap()
            .contains("Secure")
    };
    let trusting = "{cookie={secure=\"auto\",trusted_proxies=[\"10.0.0.1\"]}}";
    assert!(forwarded(trusting, "10.0.0.1:1"));
    assert!(!forwarded(trusting, "10.0.0.2:1"));
    assert!(!forwarded("{cookie={secure=\"auto\"}}", "127.0.0.1:1"));
}

#[test]
fn s4_nothing_written_stores_nothing_and_sets_no_cookie() {
    let mut site = Site::new();
    for uri in ["/public", "/get", "/who", "/nowhere"] {
        assert_eq!(site.get(uri).set_cookie, None);
    }
    for uri in ["/set_and_remove", "/touch", "/renew?drop=false", "/log_out"] {
        assert_eq!(site.post(uri).set_cookie, None, "{uri}");
    }
    assert!(site.store.calls().is_empty());

    let mut eager = Site::with("{save_uninitialized=true}");
    assert!(eager.get("/get").set_cookie.is_some());
    assert_eq!(eager.rows(), 1);
    assert_eq!(
        eager.get("/public").set_cookie,
        None,
        "a route that takes no session has none"
    );
}

#[test]
fn s5_a_session_that_is_only_read_is_not_written() {
    let mut site = Site::new();
    site.post("/set/blue");
    site.store.calls();
    site.get("/get");
    assert_eq!(site.store.calls(), ["load"]);
    site.post("/set/blue");
    assert_eq!(
        site.store.calls(),
        ["load"],
        "the same value again is no change"
    );
    site.post("/set/red");
    assert_eq!(site.store.calls(), ["load", "update"]);
}

#[test]
fn s6_rolling_sets_the_cookie_with_every_response() {
    let mut site = Site::with("{rolling=true,persistent=true}");
    assert_eq!(
        site.get("/get").set_cookie,
        None,
        "a new session still gets none"
    );
    let first = site.post("/set/blue").set_cookie.unwrap();
    let again = site.get("/get").set_cookie.unwrap();
    assert_eq!(first, again);
    assert_eq!(Site::with("{persistent=true}").get("/get").set_cookie, None);
}

#[test]
fn s7_renewal_changes_the_token_and_keeps_or_drops_the_data() {
    for (uri, kept) in [
        ("/renew?drop=false", "Some(\"blue\")"),
        ("/renew?drop=true", "None"),
    ] {
        let mut site = Site::new();
        site.post("/set/blue");
        let old = site.cookie.clone();
        site.store.calls();
        site.post(uri);
        assert_eq!(
            site.store.calls(),
            ["load", "update"],
            "one statement renews"
        );
        assert_ne!(site.cookie, old);
        assert_eq!(site.get("/get").body, kept);
        assert_eq!(site.rows(), 1);
        site.cookie = old;
        assert_eq!(site.get("/get").body, "None", "the old token is worthless");
    }
}

#[test]
fn s7_signing_in_renews_keeps_a_stranger_s_data_and_drops_another_user_s() {
    let mut site = Site::new();
    site.post("/set/blue");
    let stranger = site.cookie.clone();
    site.post("/log_in/ada");
    assert_ne!(site.cookie, stranger);
    assert_eq!(
        (
            site.get("/who").body.as_str(),
            site.get("/get").body.as_str()
        ),
        ("ada", "Some(\"blue\")")
    );
    site.post("/log_in/ada");
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    site.post("/log_in/grace");
    assert_eq!(
        (
            site.get("/who").body.as_str(),
            site.get("/get").body.as_str()
        ),
        ("grace", "None")
    );
    assert_eq!(site.rows(), 1);
}

#[test]
fn s8_destroying_ends_the_session_in_store_and_browser() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let old = site.cookie.clone();
    let cookie = site.post("/log_out").set_cookie.unwrap();
    assert!(
        cookie
            .starts_with("__Host-id=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; Expires="),
        "{cookie}"
    );
    assert_eq!(site.rows(), 0);
    site.cookie = old;
    assert_eq!(site.get("/who").body, "nobody");
    let again = site.post("/log_out").set_cookie.unwrap();
    assert!(
        again.contains("Max-Age=0"),
        "a cookie that came in is removed: {again}"
    );
}

#[test]
fn s9_save_reload_and_touch_at_once() {
    let mut site = Site::new();
    let answer = site.post("/save");
    assert!(answer.body.starts_with("Some("));
    assert!(
        answer.set_cookie.is_some(),
        "a token saved in mid-request reaches the browser"
    );
    assert_eq!(site.store.calls(), ["insert"], "saved once");
    assert_eq!(site.post("/set_and_reload").body, "Some(\"saved\")");
    assert_eq!(site.store.calls(), ["load", "load"]);
    site.pass(1);
    site.post("/touch");
    assert_eq!(site.store.calls(), ["load", "touch"]);
}

#[test]
fn s10_the_page_knows_how_long_the_session_lives() {
    let mut site = Site::new();
    assert_eq!(
        site.get("/lifetime").body,
        format!("{} {} true", 2 * HOUR, 24 * HOUR)
    );
    site.post("/set/blue");
    site.pass(MINUTE);
    assert_eq!(
        site.get("/lifetime").body,
        format!("{} {} false", 2 * HOUR, 24 * HOUR)
    );
}

#[test]
fn s11_the_idle_timeout_slides_and_ends_the_session() {
    let mut site = Site::new();
    site.post("/set/blue");
    for _ in 0..3 {
        site.pass(2 * HOUR - 1);
        assert_eq!(site.get("/get").body, "Some(\"blue\")");
    }
    site.pass(2 * HOUR);
    assert_eq!(site.get("/get").body, "None");
}

#[test]
fn s12_the_absolute_timeout_is_never_moved_but_by_signing_in() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    for _ in 0..23 {
        site.pass(HOUR);
        assert_eq!(site.get("/who").body, "ada");
    }
    let signed_in_again = site.cookie.clone();
    site.pass(HOUR - 1);
    assert_eq!(site.get("/who").body, "ada");
    site.pass(1);
    assert_eq!(site.get("/who").body, "nobody");
    site.cookie = signed_in_again;
    assert_eq!(site.post("/log_in/ada").status, 200);
    site.pass(HOUR);
    assert_eq!(site.get("/who").body, "ada");
}

#[test]
fn s13_touch_is_throttled_capped_and_can_be_off() {
    let mut site = Site::new();
    site.post("/set/blue");
    site.store.calls();
    for (passed, calls) in [
        (1, &["load"][..]),
        (2 * MINUTE - 2, &["load"]),
        (1, &["load", "touch"]),
        (1, &["load"]),
    ] {
        site.pass(passed);
        site.get("/get");
        assert_eq!(site.store.calls(), calls, "{passed} ms later");
    }
    let mut off = Site::with("{touch_interval=\"off\"}");
    off.post("/set/blue");
    off.pass(HOUR);
    off.get("/get");
    assert_eq!(off.store.calls(), ["insert", "load"]);
    off.pass(HOUR);
    assert_eq!(off.get("/get").body, "None");
}

#[test]
fn s14_no_guard_no_store_call_and_one_load_for_many_guards() {
    let mut site = Site::new();
    site.post("/set/blue");
    site.store.calls();
    let answer = site.get("/public");
    assert!(site.store.calls().is_empty());
    assert_eq!(
        (answer.header("Cache-Control"), answer.header("Vary")),
        (None, None)
    );
    #[get("/twice")]
    fn twice(one: &Session, two: &Session) -> String {
        format!("{} {}", std::ptr::eq(one, two), one.is_new())
    }
    let rocket = rocket("{}", site.store.clone(), site.now.clone()).mount("/", routes![twice]);
    let client = Client::untracked(rocket).unwrap();
    site.store.calls();
    let answer = client
        .get("/twice")
        .header(Header::new("Cookie", site.cookie.clone().unwrap()))
        .dispatch();
    assert_eq!(answer.into_string().unwrap(), "true false");
    assert_eq!(site.store.calls(), ["load"]);
}

#[test]
fn s15_a_save_that_fails_is_the_application_s_own_503_page() {
    let mut site = Site::new();
    for uri in ["/set/blue", "/log_in/ada", "/save"] {
        site.store.down.store(true, Ordering::SeqCst);
        let answer = site.post(uri);
        assert_eq!(
            (answer.status, answer.set_cookie.as_deref()),
            (503, None),
            "{uri}"
        );
        assert_eq!(answer.body, format!("own page 503 for {uri}"));
        assert_eq!(answer.header("Retry-After"), Some("2"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        site.store.down.store(false, Ordering::SeqCst);
        assert_eq!(site.post(uri).status, 200, "it heals by itself");
    }
}

#[test]
fn s15_a_load_that_fails_is_503_and_never_signed_out() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let cookie = site.cookie.clone();
    site.store.down.store(true, Ordering::SeqCst);
    for answer in [site.get("/who"), site.post("/log_out")] {
        assert_eq!((answer.status, answer.set_cookie.as_deref()), (503, None));
        assert_eq!(answer.header("Retry-After"), Some("2"));
    }
    assert_eq!(
        site.get("/public").status,
        200,
        "who asks for no session notices nothing"
    );
    site.store.down.store(false, Ordering::SeqCst);
    assert_eq!(site.cookie, cookie);
    assert_eq!(site.get("/who").body, "ada");
}

#[test]
fn s15_a_route_that_shrugs_off_a_missing_session_is_503_all_the_same() {
    #[get("/maybe")]
    fn maybe(session: Option<&Session>) -> String {
        format!("{}", session.is_some())
    }
    let mut site = Site::new();
    site.post("/log_in/ada");
    let rocket = rocket("{}", site.store.clone(), site.now.clone()).mount("/", routes![maybe]);
    let client = Client::untracked(rocket).unwrap();
    let ask = || {
        Answer::of(
            client
                .get("/maybe")
                .header(Header::new("Cookie", site.cookie.clone().unwrap()))
                .dispatch(),
        )
    };
    assert_eq!(ask().body, "true");
    site.store.down.store(true, Ordering::SeqCst);
    assert_eq!(ask().status, 503);
}

#[test]
fn s15_errors_of_the_handler_keep_the_session() {
    let mut site = Site::new();
    let answer = site.post("/fail_after_log_in");
    assert_eq!(answer.status, 418);
    assert!(
        answer.set_cookie.is_some(),
        "catchers drop cookies of Rocket's jar, not ours"
    );
    assert_eq!(site.get("/who").body, "ada");
    let answer = site.post("/panic");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (500, "own page 500 for /panic")
    );
    assert_eq!(site.get("/get").body, "Some(\"before the panic\")");
}

#[test]
fn s16_a_change_is_made_again_on_a_record_that_moved() {
    let mut site = Site::new();
    site.post("/count");
    site.store.against(|memory, key| {
        let before = memory.load(key, START).unwrap().unwrap();
        if before.version < 3 {
            let n = before.version + 10;
            let data = format!(r#"{{"count":{n},"other":true}}"#);
            memory
                .update(
                    key,
                    before.version,
                    &Record {
                        version: before.version + 1,
                        data,
                        ..before.clone()
                    },
                )
                .unwrap();
        }
    });
    site.store.calls();
    assert_eq!(
        site.post("/count").body,
        "2",
        "what was there when the handler ran"
    );
    assert_eq!(
        site.store.calls(),
        [
            "load", "update", "load", "update", "load", "update", "load", "update"
        ]
    );
    let record = site.store.memory.load(&key(&site), START).unwrap().unwrap();
    assert_eq!(
        (record.data.as_str(), record.version),
        (r#"{"count":13,"other":true}"#, 4)
    );
}

#[test]
fn s17_a_session_that_was_ended_meanwhile_stays_ended() {
    for (settings, status) in [("{}", 200), ("{on_gone=\"unauthorized\"}", 401)] {
        let mut site = Site::with(settings);
        site.store
            .against(|memory, key| assert!(memory.delete(key).unwrap()));
        for uri in ["/set/red", "/count", "/renew?drop=false"] {
            site.post("/set/blue");
            let answer = site.post(uri);
            assert_eq!(
                (answer.status, answer.set_cookie.as_deref()),
                (status, None),
                "{uri}"
            );
            assert_eq!((site.get("/get").body.as_str(), site.rows()), ("None", 0));
        }
        site.post("/set/blue");
        assert_eq!(site.post("/save").status, 401, "who asks is told");
        assert_eq!(site.rows(), 0);
    }
}

#[test]
fn s17_who_signs_in_while_the_old_session_ends_is_signed_in() {
    let mut site = Site::new();
    site.post("/set/secret");
    site.store.against(|memory, key| drop(memory.delete(key)));
    assert!(site.post("/log_in/ada").set_cookie.is_some());
    assert_eq!(
        (
            site.get("/who").body.as_str(),
            site.get("/get").body.as_str()
        ),
        ("ada", "None")
    );
    assert_eq!(site.rows(), 1);
}

#[test]
fn s18_the_store_never_sees_the_token() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let cookie = site.cookie.clone().unwrap();
    let token = cookie.split_once('=').unwrap().1;
    let record = site.store.memory.list("ada", START).unwrap().remove(0);
    assert_eq!(record.key, Token::parse(token).unwrap().key());
    assert!(!format!("{record:?}{}", record.key.as_str()).contains(&token[..8]));
    site.cookie = Some(format!("__Host-id={}", record.key.as_str()));
    assert_eq!(
        site.get("/who").body,
        "nobody",
        "what the store holds opens nothing"
    );
}

#[test]
fn s21_data_over_the_limit_is_a_typed_error_and_changes_nothing() {
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
fn s21_garbage_in_the_store_ends_that_session_and_no_other() {
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
        |record| record.created_at = START + HOUR,
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
fn s21_extreme_versions_and_times_do_not_overflow() {
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
fn bad_cookies_reach_no_store_make_no_row_and_get_no_cookie() {
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
fn a_made_up_token_is_never_adopted() {
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
fn pages_that_read_a_session_are_not_cached() {
    let mut site = Site::new();
    let answer = site.get("/who");
    assert_eq!(
        (answer.header("Cache-Control"), answer.header("Vary")),
        (Some("no-store"), Some("Cookie"))
    );
    let answer = site.get("/cached");
    assert_eq!(
        answer.header("Cache-Control"),
        Some("private, max-age=60"),
        "a handler's own header is left alone"
    );
}

#[test]
fn a_forgotten_fairing_stops_the_launch() {
    let rocket = rocket::custom(rocket::Config::figment().merge(("log_level", "off")))
        .mount("/", routes![who]);
    let error = Client::untracked(rocket).err().unwrap();
    assert!(
        matches!(error.kind(), rocket::error::ErrorKind::SentinelAborts(_)),
        "{error}"
    );
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
        ];
        format!(
            "{refused} {} {:?}",
            kept.iter().all(Result::is_ok),
            session.get::<u8>("nul").map_err(|e| e.kind())
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
    assert_eq!(site.post("/odd").body, "true true Err(Value)");
    assert_eq!(
        site.get("/odd").body,
        r#"Some("a\0b") Some(0.30000000000000004)"#
    );
}

fn key(site: &Site) -> Key {
    Token::parse(site.cookie.as_ref().unwrap().split_once('=').unwrap().1)
        .unwrap()
        .key()
}

fn flip_case(token: &str) -> String {
    let at = token.find(|c: char| c.is_ascii_alphabetic()).unwrap();
    let flipped = token[at..=at].chars().map(|c| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    });
    format!(
        "{}{}{}",
        &token[..at],
        flipped.collect::<String>(),
        &token[at + 1..]
    )
}

/// A token in the right form that nobody issued.
fn invented_token() -> String {
    (0..42)
        .map(|_| fastrand::alphanumeric())
        .chain(['A'])
        .collect()
}
