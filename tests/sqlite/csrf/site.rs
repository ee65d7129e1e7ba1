//! A small site with forms, a count of its handlers' calls, and one browser.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rocket::http::{ContentType, Header, Method};
use rocket::local::blocking::{Client, LocalRequest};
use rocket::{Build, Data, Request, Rocket, Route, get, post, routes};
use rocket_diesel_session::store::{MemoryStore, Store};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::site::figment;

/// How often a handler of something that changes has run.
#[derive(Clone, Default)]
struct Done(Arc<AtomicU32>);

/// Takes every method and every content, and the session of the request.
#[rocket::async_trait]
impl rocket::route::Handler for Done {
    async fn handle<'r>(
        &self,
        request: &'r Request<'_>,
        _: Data<'r>,
    ) -> rocket::route::Outcome<'r> {
        self.0.fetch_add(1, Ordering::SeqCst);
        rocket::route::Outcome::from(request, request.method().to_string())
    }
}

#[get("/form")]
fn form(session: &Session) -> Result<String, Error> {
    session.csrf_token()
}

/// A page that begins a session and has a form.
#[get("/form_and_session")]
fn form_and_session(session: &Session) -> Result<String, Error> {
    session.update("visits", |n: u32| n + 1)?;
    session.csrf_token()
}

#[post("/log_in")]
fn log_in(session: &Session) -> Result<(), Error> {
    session.log_in("ada")
}

pub struct Site {
    pub client: Client,
    pub store: Arc<MemoryStore>,
    done: Done,
    pub cookies: RefCell<BTreeMap<String, String>>,
}

/// The site with its protection, for a client of the test.
pub fn rocket(session: &str) -> Rocket<Build> {
    let sessions = Sessions::fairing().with_store(Arc::new(MemoryStore::default()));
    application(session, &Done::default()).attach(sessions.with_csrf_protection())
}

fn application(session: &str, done: &Done) -> Rocket<Build> {
    let methods = [
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ];
    let paths = ["/change", "/webhooks/payments"];
    let routes = paths.map(|path| methods.map(|method| Route::new(method, path, done.clone())));
    rocket::custom(figment(session))
        .mount("/", routes.concat())
        .mount("/", routes![form, form_and_session, log_in])
}

pub struct Answer {
    pub status: u16,
    pub body: String,
    pub cookies: Vec<String>,
}

impl Site {
    pub fn new(session: &str) -> Self {
        Self::with(session, Sessions::with_csrf_protection)
    }

    pub fn with(session: &str, taste: fn(Sessions) -> Sessions) -> Self {
        let (store, done) = (Arc::new(MemoryStore::default()), Done::default());
        let sessions = Sessions::fairing().with_store(store.clone());
        let rocket = application(session, &done).attach(taste(sessions));
        Self {
            client: Client::untracked(rocket).unwrap(),
            store,
            done,
            cookies: RefCell::default(),
        }
    }

    /// How many requests have reached a handler since this was last asked.
    pub fn done(&self) -> u32 {
        self.done.0.swap(0, Ordering::SeqCst)
    }

    pub fn rows(&self) -> u64 {
        self.store.count(0).unwrap()
    }

    /// The token of the form on a page.
    pub fn csrf_token(&self, page: &'static str) -> String {
        self.send(self.client.get(page)).body
    }

    /// Sends a form as the site's own pages do.
    pub fn submit(&self, path: &'static str, body: &str) -> Answer {
        let request = self.client.post(path).header(ContentType::Form);
        self.send(request.body(body))
    }

    pub fn log_in(&self) {
        let token = self.csrf_token("/form");
        assert_eq!(
            self.submit("/log_in", &format!("_token={token}")).status,
            200
        );
    }

    /// Sends a request with the browser's cookies, and keeps those of the answer.
    pub fn send(&self, request: LocalRequest<'_>) -> Answer {
        let answer = Self::dispatch(request.header(self.cookie()));
        for line in &answer.cookies {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            match line.contains("Max-Age=0") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    fn cookie(&self) -> Header<'static> {
        let cookies = self.cookies.borrow();
        let cookies = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Header::new("Cookie", cookies.collect::<Vec<_>>().join("; "))
    }

    fn dispatch(request: LocalRequest<'_>) -> Answer {
        let response = request.dispatch();
        let cookies = response.headers().get("Set-Cookie").map(str::to_owned);
        Answer {
            status: response.status().code,
            cookies: cookies.collect(),
            body: response.into_string().unwrap_or_default(),
        }
    }
}
