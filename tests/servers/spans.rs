//! The spans of the feature `tracing` on each store.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Mutex, Once};

use rocket::http::{Cookie, Status};
use rocket::local::blocking::Client;
use rocket::routes;
use rocket_diesel_session::{Sessions, Token};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};
use tracing_core::span::Current;

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site::{figment, log_in, log_out, set, who};

on_every_store!(the_spans_of_a_request_say_what_its_session_took_and_nothing_secret);

/// Spans of this library, and of the requests here.
const TARGET: &str = "rocket_diesel_session::spans";

struct Spans;

struct Seen {
    metadata: &'static Metadata<'static>,
    /// The span around it, and those that it works for.
    works_for: Vec<u64>,
    fields: String,
}

static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

thread_local! {
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn current() -> Option<u64> {
    ENTERED.with_borrow(|entered| entered.last().copied())
}

impl Seen {
    fn add(&mut self, record: impl FnOnce(&mut dyn Visit)) {
        let fields = &mut self.fields;
        record(&mut |field: &Field, value: &dyn Debug| {
            fields.push_str(&format!(" {field}={value:?}"));
        });
    }

    fn with<T>(id: &span::Id, work: impl FnOnce(&mut Self) -> T) -> T {
        let mut seen = SEEN.lock().unwrap();
        work(&mut seen[id.into_u64() as usize - 1])
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let around = match attributes.is_contextual() {
            true => current(),
            false => attributes.parent().map(span::Id::into_u64),
        };
        let mut new = Seen {
            metadata: attributes.metadata(),
            works_for: around.into_iter().collect(),
            fields: String::new(),
        };
        new.add(|visitor| attributes.record(visitor));
        let mut seen = SEEN.lock().unwrap();
        seen.push(new);
        span::Id::from_u64(seen.len() as u64)
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        Seen::with(id, |seen| seen.add(|visitor| values.record(visitor)));
    }

    fn record_follows_from(&self, id: &span::Id, other: &span::Id) {
        Seen::with(id, |seen| seen.works_for.push(other.into_u64()));
    }

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &span::Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.into_u64()));
    }

    fn exit(&self, _: &span::Id) {
        ENTERED.with_borrow_mut(|entered| entered.pop());
    }

    fn current_span(&self) -> Current {
        match current().map(span::Id::from_u64) {
            Some(id) => Current::new(id.clone(), Seen::with(&id, |seen| seen.metadata)),
            None => Current::none(),
        }
    }
}

/// Returns the spans below one, in the order of their beginnings.
fn below(root: &tracing::Span) -> Vec<String> {
    let root = root.id().unwrap().into_u64();
    let mut found = BTreeSet::from([root]);
    let mut lines = Vec::new();
    for (id, seen) in (1..).zip(&*SEEN.lock().unwrap()) {
        if seen.works_for.iter().any(|other| found.contains(other)) {
            found.insert(id);
            lines.push(format!("{}{}", seen.metadata.name(), seen.fields));
        }
    }
    lines
}

/// Sends a request within a span. Returns its new cookie, and the spans below.
fn send(
    client: &Client,
    path: &'static str,
    cookie: Option<&Cookie<'static>>,
) -> (Option<Cookie<'static>>, Vec<String>) {
    let root = tracing::debug_span!(target: TARGET, "request");
    let mut request = client.post(path);
    if let Some(cookie) = cookie {
        request = request.cookie(cookie.clone());
    }
    let answer = root.in_scope(|| request.dispatch());
    assert_eq!(answer.status(), Status::Ok, "{path}");
    let set = answer.cookies().iter().next();
    let set = set.map(|it| Cookie::new(it.name().to_owned(), it.value().to_owned()));
    (set, below(&root))
}

fn the_spans_of_a_request_say_what_its_session_took_and_nothing_secret(database: &TestDatabase) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Spans).unwrap());
    let figment = figment("{}")
        .merge(("databases.app.url", &database.url))
        .merge(("session.table", &database.table));
    let rocket = rocket::custom(figment)
        .mount("/", routes![log_in, log_out, set, who])
        .attach(Sessions::fairing());
    let client = Client::untracked(rocket).unwrap();

    let scheme = database.url.split(':').next().unwrap();
    let one = |verb: &str, outcome: &str| {
        format!("store verb={verb:?} backend={scheme:?} records=1 outcome={outcome:?}")
    };
    let in_batch =
        |verb: &str, outcome: &str| vec!["store_batch size=1".to_owned(), one(verb, outcome)];
    let load = || {
        let of_load = "session_load outcome=\"found\"".to_owned();
        // SQLite has no round trips that loads could share.
        let calls = match scheme {
            "sqlite" => vec![one("load", "found")],
            _ => in_batch("load_many", "0 failed"),
        };
        [vec![of_load], calls].concat()
    };
    let save =
        |verb: &str, outcome: &str| vec![format!("session_save verb={verb} outcome={outcome:?}")];

    let (cookie, begun) = send(&client, "/log_in/ada", None);
    let inserted = match scheme {
        // The list of a user's sessions may be on another node than the session.
        "redis-cluster" => {
            let alone = vec![one("insert", "done")];
            [in_batch("save_many", "1 failed"), alone].concat()
        }
        _ => in_batch("save_many", "0 failed"),
    };
    assert_eq!(begun, [save("Insert", "saved"), inserted].concat());
    let cookie = cookie.unwrap();
    let (_, changed) = send(&client, "/set/blue", Some(&cookie));
    let updated = [
        load(),
        save("Update", "saved"),
        in_batch("save_many", "0 failed"),
    ]
    .concat();
    assert_eq!(changed, updated);
    let (_, ended) = send(&client, "/log_out", Some(&cookie));
    let delete = vec![one("delete", "deleted")];
    assert_eq!(ended, [load(), save("Delete", "deleted"), delete].concat());

    let token = cookie.value();
    let key = Token::parse(token).unwrap().key();
    let all = [begun, changed, ended].concat().concat();
    for secret in [token, key.as_str(), key.short(), "ada", "blue"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}
