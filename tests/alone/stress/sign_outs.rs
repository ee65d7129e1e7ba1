//! Sign-outs against writers of the same session: an acknowledged sign-out is final.

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use rocket_diesel_session::Key;

use testing::clients::at_once;
use testing::database::TestDatabase;
use testing::server::{Browser, Server, wait_until};

use super::counters::CountedSession;
use super::disturbance::Disturbance;
use super::{increments, key, processes};

/// Each race has three clients.
const RACES_AT_ONCE: usize = 10;

pub(super) fn no_session_comes_back(database: &TestDatabase, disturbance: Disturbance) {
    let (servers, races) = (processes(database), increments() / 10);
    let locked = CountedSession::begin(&servers[0], 0);
    let ended = Mutex::new(HashSet::new());
    disturbance.during(database, &locked.key(), || {
        at_once(RACES_AT_ONCE, races, |number| {
            if number % 20 == 0 {
                locked.increment(&servers[number % 3], 0, disturbance);
            }
            let key = race(&servers, number, disturbance);
            ended.lock().unwrap().extend(key);
        });
    });
    let ended = ended.into_inner().unwrap();
    assert!(
        ended.len() > races / 4,
        "{} sign-outs acknowledged",
        ended.len()
    );
    let rows = database.store.all(0, None, u32::MAX).unwrap();
    let back = rows.iter().filter(|row| ended.contains(&row.key)).count();
    assert_eq!(back, 0, "sessions came back");
    if disturbance != Disturbance::LostConnections {
        assert_eq!((ended.len(), rows.len()), (races, 1));
    }
    locked.check(database);
}

/// Two requests sleep for up to 6 ms before they save; the sign-out falls before, into or after that.
/// Returns the key of the session, if the sign-out was acknowledged.
fn race(servers: &[Server; 3], number: usize, disturbance: Disturbance) -> Option<Key> {
    let [one, two, three] = [0, 1, 2].map(|it| &servers[(number + it) % 3].base);
    let mut browser = Browser::default();
    let post = |browser: &mut Browser, url: String| {
        let answer = browser.post(&url);
        assert!(
            answer.0 == 200 || disturbance.excuses(answer.0),
            "{url}: {answer:?}"
        );
        answer.0 == 200
    };
    if !post(&mut browser, format!("{one}/log_in/racer-{number}")) {
        return None;
    }
    let mut browsers = [(); 4].map(|()| browser.clone());
    let [leaving, first, second, _] = &mut browsers;
    let left = thread::scope(|scope| {
        for (writing, server) in [(first, one), (second, three)] {
            let url = format!("{server}/slow/{}", fastrand::u32(..6));
            scope.spawn(move || writing.post(&url));
        }
        thread::sleep(Duration::from_millis(fastrand::u64(..4)));
        post(leaving, format!("{two}/log_out"))
    });
    if !left {
        return None;
    }
    for browser in &mut browsers {
        wait_until("a page is shown", Duration::from_secs(20), || {
            let answer = browser.get(&format!("{three}/user"));
            assert!(
                answer.0 == 200 || disturbance.excuses(answer.0),
                "{answer:?}"
            );
            assert!(answer.0 != 200 || answer.1.is_empty(), "signed in again");
            answer.0 == 200
        });
    }
    Some(key(&browser))
}
