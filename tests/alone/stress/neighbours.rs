//! A locked row holds up the saves of its session and of no other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testing::database::TestDatabase;
use testing::server::Server;
use testing::{on_each_server, sql};

use super::counters::CountedSession;
use super::disturbance::{Disturbance, Stop, lock};

on_each_server!(a_locked_row_holds_no_other_session_up);

const HELD: Duration = Duration::from_millis(1_500);

/// The beginning and the end of something.
type Span = (Instant, Instant);

fn a_locked_row_holds_no_other_session_up(database: &TestDatabase) {
    let _alone = crate::alone();
    let server = Server::busy(database);
    let sessions: Vec<_> = (0..11)
        .map(|user| CountedSession::begin(&server, user))
        .collect();
    let (locked, neighbours) = sessions.split_first().unwrap();
    let (saves, stopped) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let increment = |session: &CountedSession| {
        let begin = Instant::now();
        session.increment(&server, 0, Disturbance::LockedRow);
        (begin, Instant::now())
    };
    let locks = thread::scope(|scope| {
        let _stop = Stop(&stopped);
        for _ in 0..4 {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    increment(locked);
                }
            });
        }
        for neighbour in neighbours {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    let save = increment(neighbour);
                    saves.lock().unwrap().push(save);
                }
            });
        }
        [(); 2].map(|()| hold(database, locked))
    });
    compare(&saves.into_inner().unwrap(), &locks);
    for session in &sessions {
        session.check(database);
    }
}

/// Locks the session's row for a while, and says when.
fn hold(database: &TestDatabase, session: &CountedSession) -> Span {
    let mut execute = sql::connection(database);
    thread::sleep(HELD / 2);
    execute(&lock(database, &session.key()).0);
    let begin = Instant::now();
    thread::sleep(HELD);
    let end = Instant::now();
    execute("COMMIT");
    (begin, end)
}

fn compare(saves: &[Span], locks: &[Span]) {
    let within = |(begin, _): &Span| locks.iter().find(|lock| (lock.0..lock.1).contains(begin));
    for save in saves {
        let Some(lock) = within(save) else { continue };
        let early = save.0 < lock.0 + HELD / 3;
        assert!(
            !early || save.1 < lock.1,
            "a save waited until the row was unlocked"
        );
    }
    let (during, other): (Vec<_>, Vec<_>) = saves.iter().partition(|save| within(save).is_some());
    let [during, other] = [during, other].map(median);
    let limit = other + Duration::from_millis(50);
    assert!(
        during <= limit,
        "a save takes {during:?} beside a locked row, otherwise {other:?}"
    );
}

fn median(saves: Vec<&Span>) -> Duration {
    let mut times: Vec<_> = saves.iter().map(|save| save.1 - save.0).collect();
    times.sort_unstable();
    times[times.len() / 2]
}
