//! The counters of sessions and the gauges, exactly, since nothing else in this process counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rocket::http::{Cookie, Status};
use rocket::local::{asynchronous, blocking};
use rocket::tokio::join;
use rocket::tokio::runtime::Runtime;
use rocket::tokio::time::{sleep, timeout};
use rocket::{post, routes};
use rocket_diesel_session::{Error, LiveSessions, Sessions, Token};

use testing::metrics::{sum, sums};
use testing::site::{self, HOUR, MINUTE, START};
use testing::{database, sql};

#[post("/delete_expired")]
async fn delete_expired(live: LiveSessions) -> Result<(), Error> {
    live.delete_expired(|_| ()).await.map(drop)
}

type Browser = Option<Cookie<'static>>;

/// Posts with a cookie, and returns the one that the browser has then.
fn post(client: &blocking::Client, path: &str, browser: &Browser) -> Browser {
    let mut request = client.post(path.to_owned());
    if let Some(cookie) = browser {
        request = request.cookie(cookie.clone());
    }
    let answer = request.dispatch();
    assert_eq!(answer.status(), Status::Ok, "{path}");
    let set = answer.cookies().iter().next();
    let set = set.map(|it| Cookie::new(it.name().to_owned(), it.value().to_owned()));
    set.or_else(|| browser.clone())
}

fn key(browser: &Browser) -> String {
    let token = Token::parse(browser.as_ref().unwrap().value()).unwrap();
    token.key().as_str().to_owned()
}

/// What `work` adds to the counters of sessions, without those that it leaves as they are.
fn added(work: impl FnOnce()) -> BTreeMap<String, f64> {
    let before = sums();
    work();
    let sums = sums().into_iter();
    let counters = ["begun_total", "renewed_total", "ended_total"];
    sums.filter_map(|(name, sum)| {
        let short = name.strip_prefix("session_")?;
        let is_one = counters.iter().any(|it| short.starts_with(it));
        let more = sum - before[&name];
        (is_one && more != 0.0).then(|| (short.replace("_total", ""), more))
    })
    .collect()
}

#[test]
fn each_session_is_counted_when_it_begins_and_when_it_ends() {
    let _alone = crate::alone();
    let database = database::sqlite();
    let now = Arc::new(AtomicI64::new(START));
    let sessions = Sessions::fairing()
        .with_store(database.store.clone())
        .with_clock(site::clock(&now));
    let settings = "{sessions_per_user=2,cleanup_interval=\"off\"}";
    let routes = routes![
        site::log_in,
        site::log_out,
        site::renew,
        site::end_others,
        site::revoke,
        site::clear,
        site::end_device,
        site::revoke_all,
        delete_expired
    ];
    let rocket = rocket::custom(site::figment(settings)).mount("/", routes);
    let client = blocking::Client::untracked(rocket.attach(sessions)).unwrap();
    let post = |path: &str, browser: &Browser| post(&client, path, browser);
    let sign_in = |user: &str| {
        now.fetch_add(MINUTE, Ordering::SeqCst);
        post(&format!("/log_in/{user}"), &None)
    };
    let is = |work: &dyn Fn(), expected: &[(&str, f64)]| {
        let expected = expected
            .iter()
            .map(|(name, more)| ((*name).to_owned(), *more));
        assert_eq!(added(work), expected.collect());
    };

    let three = || [(); 3].map(|()| sign_in("ada"));
    is(&|| drop(three()), &[("begun", 3.0), ("ended limit", 1.0)]);
    let ada = sign_in("ada");
    is(
        &|| drop(post("/renew", &sign_in("grace"))),
        &[("begun", 1.0), ("renewed", 1.0)],
    );
    is(
        &|| drop(post("/log_out", &sign_in("eve"))),
        &[("begun", 1.0), ("ended signed_out", 1.0)],
    );
    let other = sign_in("ada");
    let end_device = format!("/end_device/{}", &key(&ada)[..8]);
    is(
        &|| drop(post(&end_device, &other)),
        &[("ended other_session", 1.0)],
    );
    sign_in("ada");
    is(
        &|| drop(post("/end_others", &other)),
        &[("renewed", 1.0), ("ended other_session", 1.0)],
    );
    let revoke = format!("/revoke/{}", key(&sign_in("eve")));
    is(&|| drop(post(&revoke, &None)), &[("ended revoked", 1.0)]);
    is(&|| drop(post(&revoke, &None)), &[]);
    is(
        &|| drop(post("/revoke_all/grace", &None)),
        &[("ended revoked", 1.0)],
    );
    sign_in("eve");
    is(&|| drop(post("/clear", &None)), &[("ended revoked", 2.0)]);
    sign_in("eve");
    now.fetch_add(3 * HOUR, Ordering::SeqCst);
    is(
        &|| drop(post("/delete_expired", &None)),
        &[("ended expired", 1.0)],
    );
}

async fn until(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), wait).await.unwrap();
}

/// One thread, which waits for a lock: the others wait in the queue and at the door.
#[test]
fn what_waits_and_what_is_connected_is_seen_until_it_ends() {
    let _alone = crate::alone();
    let database = database::sqlite();
    let settings = site::figment("{cleanup_interval=\"off\"}")
        .merge(("databases.app.url", &database.url))
        .merge(("databases.app.pool_size", 1))
        .merge(("databases.app.timeout", 60));
    let rocket = rocket::custom(settings).mount("/", routes![site::log_in]);
    let rocket = rocket.attach(Sessions::fairing());
    let runtime = Runtime::new().unwrap();
    let client = runtime
        .block_on(asynchronous::Client::untracked(rocket))
        .unwrap();
    let mut execute = sql::connection(&database);
    execute("BEGIN IMMEDIATE");
    let sign_in = |user: &str| client.post(format!("/log_in/{user}")).dispatch();
    let batches = sum("session_door_batch_size saves");
    let others = async {
        until(|| sum("session_door_batch_size saves") > batches).await;
        join!(sign_in("eve"), sign_in("grace"))
    };
    let end = async {
        until(|| sum("session_door_waiting saves") == 2.0 && sum("session_store_queued") == 1.0)
            .await;
        execute("COMMIT");
    };
    runtime.block_on(async { join!(sign_in("ada"), others, end) });
    let gauges = || {
        [
            "session_door_waiting saves",
            "session_store_queued",
            "session_connections_open",
            "session_connections_idle",
        ]
        .map(sum)
    };
    runtime.block_on(until(|| gauges() == [0.0, 0.0, 1.0, 1.0]));
    drop(client);
    runtime.block_on(until(|| gauges() == [0.0; 4]));
}
