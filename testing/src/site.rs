//! A small site with a route for everything a session can do, its store, its clock and one browser.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rocket::figment::Figment;
use rocket::http::{Header, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, Request, Rocket, catch, catchers};
use rocket_diesel_session::store::{Inserted, MemoryStore, Record, Store, Updated};
use rocket_diesel_session::{Error, Key, Sessions, Token};

use crate::features;
pub use crate::routes::*;

pub const START: i64 = 1_790_000_000_000;
pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;

/// A memory store that writes down its calls, and that can be switched off.
#[derive(Default)]
pub struct Watched {
    pub memory: MemoryStore,
    calls: Mutex<Vec<&'static str>>,
    /// How many of the next calls succeed before the failures begin.
    successes: AtomicU32,
    /// How many of the calls after them fail.
    failures: AtomicU32,
    /// How many milliseconds each call takes.
    pub slowness: AtomicU64,
    /// Whether the next load is by a node that has not heard of the record yet.
    pub lags: AtomicBool,
    /// The work of another request just before an update.
    rival: Mutex<Option<Rival>>,
}

pub type Rival = fn(&MemoryStore, &Key);

impl Watched {
    fn call(&self, verb: &'static str) -> Result<&MemoryStore, Error> {
        self.calls.lock().unwrap().push(verb);
        thread::sleep(Duration::from_millis(self.slowness.load(Ordering::SeqCst)));
        let take = |count: &AtomicU32| {
            let one_less = |count: u32| count.checked_sub(1);
            let taken = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
            taken.is_ok()
        };
        if !take(&self.successes) && take(&self.failures) {
            return Err(Error::unavailable("switched off"));
        }
        Ok(&self.memory)
    }

    pub fn fail(&self, calls: u32) {
        self.fail_after(0, calls);
    }

    pub fn fail_after(&self, successes: u32, calls: u32) {
        self.successes.store(successes, Ordering::SeqCst);
        self.failures.store(calls, Ordering::SeqCst);
    }

    pub fn against(&self, rival: Rival) {
        *self.rival.lock().unwrap() = Some(rival);
    }

    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Store for Watched {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let memory = self.call("load")?;
        match self.lags.swap(false, Ordering::SeqCst) {
            true => Ok(None),
            false => memory.load(key, now),
        }
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
        self.call("list")?.list(user_id, now)
    }
    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        self.memory.all(now, after, limit)
    }
    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        self.call("delete_all")?.delete_all(user_id, except)
    }
    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        self.memory.delete_expired(now, limit)
    }
    fn count(&self, now: i64) -> Result<u64, Error> {
        self.memory.count(now)
    }
    fn clear(&self) -> Result<u64, Error> {
        self.memory.clear()
    }
}

#[catch(default)]
pub fn own_page(status: Status, request: &Request<'_>) -> String {
    format!("own page {} for {}", status.code, request.uri())
}

/// An application with its store, its clock and one browser that keeps one cookie.
pub struct Site {
    pub client: Client,
    pub store: Arc<Watched>,
    pub now: Arc<AtomicI64>,
    pub cookie: Option<String>,
}

impl Site {
    pub fn new() -> Self {
        Self::with("{}")
    }

    /// `session` is what `ROCKET_SESSION` would hold.
    pub fn with(session: &str) -> Self {
        Self::on(Arc::default(), session, |sessions| sessions)
    }

    /// With a store that may have been used before, and a fairing to one's taste.
    pub fn on(store: Arc<Watched>, session: &str, taste: impl Fn(Sessions) -> Sessions) -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let rocket = site(session).mount("/", features::routes());
        let sessions = taste(sessions(store.clone(), now.clone()));
        let client = Client::untracked(rocket.attach(sessions)).unwrap();
        store.calls();
        Self {
            client,
            store,
            now,
            cookie: None,
        }
    }

    pub fn pass(&self, time: i64) {
        self.now.fetch_add(time, Ordering::SeqCst);
    }

    pub fn get(&mut self, uri: &'static str) -> Answer {
        let answer = self.ask(self.client.get(uri));
        self.keep(answer)
    }

    pub fn post(&mut self, uri: &'static str) -> Answer {
        let answer = self.ask(self.client.post(uri));
        self.keep(answer)
    }

    pub fn ask(&self, mut request: rocket::local::blocking::LocalRequest<'_>) -> Answer {
        if let Some(cookie) = &self.cookie {
            request.add_header(Header::new("Cookie", cookie.clone()));
        }
        Answer::of(request.dispatch())
    }

    pub fn keep(&mut self, answer: Answer) -> Answer {
        if let Some(set) = &answer.set_cookie {
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = (!set.contains("Max-Age=0")).then_some(pair);
        }
        answer
    }

    pub fn rows(&self) -> u64 {
        self.store.memory.count(i64::MIN).unwrap()
    }
}

pub fn rocket(session: &str, store: Arc<Watched>, now: Arc<AtomicI64>) -> Rocket<Build> {
    site(session).attach(sessions(store, now))
}

fn sessions(store: Arc<Watched>, now: Arc<AtomicI64>) -> Sessions {
    Sessions::fairing()
        .with_store(store)
        .with_clock(clock(&now))
}

/// A clock that shows `now`, in Unix milliseconds.
pub fn clock(now: &Arc<AtomicI64>) -> impl Fn() -> DateTime<Utc> + use<> {
    let now = now.clone();
    move || DateTime::from_timestamp_millis(now.load(Ordering::SeqCst)).unwrap()
}

/// These settings of the sessions, without Rocket.toml, which is the application's.
pub fn figment(session: &str) -> Figment {
    let session: rocket::figment::value::Value = session.parse().unwrap();
    Figment::from(rocket::Config::default())
        .merge(("log_level", "off"))
        .merge(("session", session))
}

fn site(session: &str) -> Rocket<Build> {
    rocket::custom(figment(session))
        .mount("/", routes())
        .register("/", catchers![own_page])
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub set_cookie: Option<String>,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn of(response: LocalResponse<'_>) -> Self {
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

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

pub fn key(site: &Site) -> Key {
    Token::parse(site.cookie.as_ref().unwrap().split_once('=').unwrap().1)
        .unwrap()
        .key()
}

pub fn flip_case(token: &str) -> String {
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

/// A well-formed token that was never issued.
pub fn invented_token() -> String {
    (0..42)
        .map(|_| fastrand::alphanumeric())
        .chain(['A'])
        .collect()
}
