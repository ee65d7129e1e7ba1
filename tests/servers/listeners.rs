//! `Sessions::on_event` on each store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rocket::http::{Cookie, Status};
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, get, post, routes};
use rocket_diesel_session::events::Event;
use rocket_diesel_session::{Error, Session, Sessions, Token};

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site::{
    HOUR, MINUTE, START, clear, clock, end_device, figment, log_in, renew, revoke, revoke_all,
};

on_every_store!(
    each_change_of_a_session_is_one_event,
    each_session_that_another_one_ends_is_one_event,
    an_expired_session_is_one_event,
);

#[get("/")]
fn who(session: &Session) -> String {
    session.user_id().unwrap_or_default()
}

#[post("/begin")]
fn begin(session: &Session) -> Result<(), Error> {
    session.insert("colour", "blue")
}

#[post("/log_out?<message>")]
fn log_out(session: &Session, message: Option<&str>) -> Result<(), Error> {
    session.log_out();
    message.map_or(Ok(()), |text| session.flash("info", text))
}

#[post("/end_others?<log_out>")]
fn end_others(session: &Session, log_out: bool) {
    session.end_others();
    if log_out {
        session.log_out();
    }
}

/// An application, its clock, and the events that its listener got.
struct Site {
    client: Client,
    now: Arc<AtomicI64>,
    events: Receiver<Event>,
}

type Browser = Option<Cookie<'static>>;

fn application(
    database: &TestDatabase,
    now: &Arc<AtomicI64>,
    events: Sender<Event>,
) -> Rocket<Build> {
    let sessions = Sessions::fairing()
        .with_store(database.store.clone())
        .with_clock(clock(now))
        .on_event(move |event| events.send(event.clone()).unwrap());
    let routes = routes![
        who, begin, log_in, renew, log_out, end_others, end_device, revoke, revoke_all, clear
    ];
    rocket::custom(figment("{sessions_per_user=2}"))
        .mount("/", routes)
        .attach(sessions)
}

impl Site {
    fn on(database: &TestDatabase) -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let (sender, events) = channel();
        let client = Client::untracked(application(database, &now, sender)).unwrap();
        Self {
            client,
            now,
            events,
        }
    }

    fn pass(&self, time: i64) {
        self.now.fetch_add(time, Ordering::SeqCst);
    }

    /// Posts with a cookie, and returns the one that the browser has then.
    fn post(&self, path: &str, browser: &Browser) -> Browser {
        let mut request = self.client.post(path.to_owned());
        if let Some(cookie) = browser {
            request = request.cookie(cookie.clone());
        }
        let answer = request.dispatch();
        assert_eq!(answer.status(), Status::Ok, "{path}");
        let set = answer.cookies().iter().next();
        let set = set.map(|it| Cookie::new(it.name().to_owned(), it.value().to_owned()));
        set.or_else(|| browser.clone())
    }

    /// Signs a user in, and takes the event of it.
    fn sign_in(&self, user: &str) -> Browser {
        let browser = self.post(&format!("/log_in/{user}"), &None);
        assert_eq!(self.events(1), [format!("begun {user}: {}", key(&browser))]);
        browser
    }

    /// Takes the next events as texts.
    fn events(&self, count: usize) -> Vec<String> {
        let next = || self.events.recv_timeout(Duration::from_secs(10)).unwrap();
        (0..count).map(|_| self.text(&next())).collect()
    }

    fn text(&self, event: &Event) -> String {
        let user = |user: &Option<String>| user.clone().unwrap_or("nobody".into());
        let (text, at) = match event {
            Event::Begun {
                key, user_id, at, ..
            } => (format!("begun {}: {}", user(user_id), key.as_str()), at),
            Event::Renewed {
                key,
                before,
                user_id,
                at,
                ..
            } => {
                let (key, before) = (key.as_str(), before.as_str());
                let text = format!("renewed {}: {before} as {key}", user(user_id));
                (text, at)
            }
            Event::Ended {
                key,
                user_id,
                reason,
                at,
                ..
            } => {
                let text = format!("{reason:?} {}: {}", user(user_id), key.as_str());
                (text, at)
            }
            Event::Cleared { count, at, .. } => (format!("cleared {count}"), at),
            other => panic!("{other:?}"),
        };
        assert_eq!(at.timestamp_millis(), self.now.load(Ordering::SeqCst));
        text
    }

    /// The events that come after all requests.
    fn rest(self) -> Vec<Event> {
        drop(self.client);
        let next = || self.events.recv_timeout(Duration::from_secs(10)).ok();
        std::iter::from_fn(next).collect()
    }
}

/// The key of a browser's session.
fn key(browser: &Browser) -> String {
    let cookie = browser.as_ref().unwrap();
    let token = Token::parse(cookie.value()).unwrap();
    token.key().as_str().to_owned()
}

fn each_change_of_a_session_is_one_event(database: &TestDatabase) {
    let site = Site::on(database);
    let anonymous = site.post("/begin", &None);
    assert_eq!(
        site.events(1),
        [format!("begun nobody: {}", key(&anonymous))]
    );
    let ada = site.post("/log_in/ada", &anonymous);
    let signed_in = format!("renewed ada: {} as {}", key(&anonymous), key(&ada));
    assert_eq!(site.events(1), [signed_in]);
    site.pass(MINUTE);
    let renewed = site.post("/renew", &ada);
    let renewal = format!("renewed ada: {} as {}", key(&ada), key(&renewed));
    assert_eq!(site.events(1), [renewal]);
    site.post("/begin", &renewed);
    let after = site.post("/log_out?message=bye", &renewed);
    let signed_out = format!("SignedOut ada: {}", key(&renewed));
    let begun = format!("begun nobody: {}", key(&after));
    assert_eq!(site.events(2), [signed_out, begun]);
    site.post("/log_out", &after);
    assert_eq!(
        site.events(1),
        [format!("SignedOut nobody: {}", key(&after))]
    );

    let [oldest, first, second] = [(); 3].map(|()| {
        site.pass(MINUTE);
        site.sign_in("grace")
    });
    assert_eq!(site.events(1), [format!("Limit grace: {}", key(&oldest))]);
    site.post(&format!("/revoke/{}", key(&oldest)), &None);
    site.post(&format!("/revoke/{}", key(&first)), &None);
    assert_eq!(site.events(1), [format!("Revoked grace: {}", key(&first))]);
    site.post("/revoke_all/grace", &None);
    assert_eq!(site.events(1), [format!("Revoked grace: {}", key(&second))]);
    site.sign_in("ada");
    site.sign_in("grace");
    site.post("/clear", &None);
    site.post("/clear", &None);
    assert_eq!(site.events(1), ["cleared 2"]);
    assert_eq!(site.rest(), []);
}

fn each_session_that_another_one_ends_is_one_event(database: &TestDatabase) {
    let site = Site::on(database);
    let [first, second] = [(); 2].map(|()| {
        site.pass(MINUTE);
        site.sign_in("ada")
    });
    let grace = site.sign_in("grace");
    let current = site.post("/end_others", &second);
    let renewed = format!("renewed ada: {} as {}", key(&second), key(&current));
    let ended = format!("OtherSession ada: {}", key(&first));
    assert_eq!(site.events(2), [renewed, ended]);
    let device = site.sign_in("ada");
    site.post(&format!("/end_device/{}", &key(&device)[..8]), &current);
    assert_eq!(
        site.events(1),
        [format!("OtherSession ada: {}", key(&device))]
    );
    let device = site.sign_in("ada");
    site.post("/end_others?log_out=true", &current);
    let signed_out = format!("SignedOut ada: {}", key(&current));
    let ended = format!("OtherSession ada: {}", key(&device));
    assert_eq!(site.events(2), [signed_out, ended]);
    site.post("/log_out", &grace);
    assert_eq!(
        site.events(1),
        [format!("SignedOut grace: {}", key(&grace))]
    );
    assert_eq!(site.rest(), []);
}

fn an_expired_session_is_one_event(database: &TestDatabase) {
    let site = Site::on(database);
    let get = |browser: &Browser| {
        let cookie = browser.clone().unwrap();
        let answer = site.client.get("/").cookie(cookie).dispatch();
        answer.into_string().unwrap_or_default()
    };
    let [expired, later, ended] = ["ada", "eve", "grace"].map(|user| site.sign_in(user));
    site.post("/log_out", &ended);
    site.events(1);
    site.pass(3 * HOUR);
    assert_eq!(get(&ended), "");
    assert_eq!(get(&expired), "");
    assert_eq!(site.events(1), [format!("Expired ada: {}", key(&expired))]);
    // No request waits for its event, so further ones would come before that of the next session.
    for _ in 0..20 {
        assert_eq!(get(&expired), "");
    }
    assert_eq!(get(&later), "");
    assert_eq!(site.events(1), [format!("Expired eve: {}", key(&later))]);
    assert_eq!(site.rest(), []);
}
