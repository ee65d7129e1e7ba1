//! Increments of numbers in a few sessions: each number ends at what was acknowledged.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rocket::serde::json::from_str;
use rocket_diesel_session::Key;

use testing::clients::at_once;
use testing::database::TestDatabase;
use testing::server::{Browser, Server};

use super::disturbance::Disturbance;
use super::{increments, key, processes};

const CLIENTS: usize = 32;
const SESSIONS: usize = 20;

/// A session with numbers, and what its clients know of them.
pub(super) struct CountedSession {
    browser: Browser,
    answers: Mutex<BTreeMap<String, Answers>>,
}

/// The answers to the increments of one number.
#[derive(Debug, Default)]
struct Answers {
    acknowledged: u64,
    /// Answered with an error: the increment may be stored or not.
    doubtful: u64,
}

impl CountedSession {
    pub(super) fn begin(server: &Server, user: usize) -> Self {
        let mut browser = Browser::default();
        let sign_in = format!("{}/log_in/user-{user}", server.base);
        assert_eq!(browser.post(&sign_in).0, 200);
        Self {
            browser,
            answers: Mutex::default(),
        }
    }

    pub(super) fn key(&self) -> Key {
        key(&self.browser)
    }

    /// Adds one to the number of this name.
    pub(super) fn increment(&self, server: &Server, name: usize, disturbance: Disturbance) {
        let answer = self
            .browser
            .clone()
            .post(&format!("{}/numbers/{name}", server.base));
        let mut answers = self.answers.lock().unwrap();
        let answers = answers.entry(name.to_string()).or_default();
        match answer.0 {
            200 => answers.acknowledged += 1,
            status if disturbance.excuses(status) => answers.doubtful += 1,
            _ => panic!("{answer:?}"),
        }
    }

    /// Compares what is stored, and returns how many increments were acknowledged.
    pub(super) fn check(&self, database: &TestDatabase) -> u64 {
        let record = database.store.load(&self.key(), 0).unwrap().unwrap();
        let mut stored: BTreeMap<String, u64> = from_str(&record.data).unwrap();
        let answers = self.answers.lock().unwrap();
        for (
            name,
            Answers {
                acknowledged,
                doubtful,
            },
        ) in &*answers
        {
            let stored = stored.remove(name).unwrap_or_default();
            let possible = *acknowledged..=acknowledged + doubtful;
            assert!(
                possible.contains(&stored),
                "{acknowledged} acknowledged, {doubtful} in doubt, {stored} stored"
            );
        }
        assert!(stored.is_empty(), "nobody wrote {stored:?}");
        answers.values().map(|answers| answers.acknowledged).sum()
    }
}

pub(super) fn each_ends_at_what_was_acknowledged(
    database: &TestDatabase,
    disturbance: Disturbance,
) {
    let servers = processes(database);
    // Some ten increments each, so that an answer in doubt leaves most numbers beyond doubt.
    let numbers = increments().div_ceil(10 * SESSIONS);
    let sessions: Vec<_> = (0..=SESSIONS)
        .map(|user| CountedSession::begin(&servers[0], user))
        .collect();
    let (locked, free) = sessions.split_last().unwrap();
    disturbance.during(database, &locked.key(), || {
        at_once(CLIENTS, increments(), |number| {
            // Seldom the locked one: soon all clients would wait for it.
            let session = match number % 200 {
                0 => locked,
                _ => &free[fastrand::usize(..SESSIONS)],
            };
            session.increment(&servers[number % 3], number % numbers, disturbance);
        });
    });
    let acknowledged: u64 = sessions.iter().map(|session| session.check(database)).sum();
    assert!(
        acknowledged > increments() as u64 / 2,
        "{acknowledged} acknowledged"
    );
}
