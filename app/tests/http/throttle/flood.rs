//! Signs in many users at once, beside signed-in ones.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{WRONG, seconds, start};
use testing::accounts::{EMAIL, is_signed_in, register, sign_in};
use testing::sql;

#[test]
fn many_sign_ins_at_once_do_not_slow_signed_in_users() {
    let database = testing::database::sqlite();
    let application = start(&database, "{attempts_per_address=10000}");
    let inside = application.visitor();
    register(&inside, EMAIL, &[]);
    let (floods, flood) = (AtomicBool::new(true), application.visitor());
    flood.csrf_token();
    let (mut probes, answers) = thread::scope(|scope| {
        let probe = scope.spawn(|| {
            let mut probes = Vec::new();
            while floods.load(Ordering::Relaxed) {
                let start = Instant::now();
                assert!(is_signed_in(&inside));
                probes.push(start.elapsed());
                thread::sleep(Duration::from_millis(5));
            }
            probes
        });
        let flood = &flood;
        let sign_ins: Vec<_> = (0..256)
            .map(|number| {
                let email = format!("nobody+{number}@example.org");
                scope.spawn(move || {
                    let start = Instant::now();
                    (sign_in(flood, &email, WRONG), start.elapsed())
                })
            })
            .collect();
        let answers = sign_ins.into_iter().map(|one| one.join());
        let answers: Vec<_> = answers.collect();
        floods.store(false, Ordering::Relaxed);
        let answers: Result<Vec<_>, _> = answers.into_iter().collect();
        (probe.join().unwrap(), answers.unwrap())
    });
    let count = |status| answers.iter().filter(|(it, _)| it.status == status).count();
    let (compared, turned_away) = (count(401), count(503));
    assert_eq!(compared + turned_away, 256);
    assert!(compared > 0 && turned_away > 0, "{compared}, {turned_away}");
    for (answer, _) in answers.iter().filter(|(it, _)| it.status == 503) {
        assert!(
            answer.body.contains("Too many passwords are being checked"),
            "{}",
            answer.body
        );
        assert!(seconds(answer) > 0);
    }
    // A refused client has no attempt counted.
    let counted = sql::count(&database, "attempts WHERE failures = 1");
    // Includes the registration.
    assert_eq!(counted, compared + 1);
    probes.sort_unstable();
    let [median, p99] = [50, 99].map(|percent| probes[probes.len() * percent / 100]);
    let slowest = answers.iter().map(|(_, took)| took).max();
    eprintln!(
        "{} probes: median {median:?}, p99 {p99:?}; {compared} compared, {turned_away} turned away, \
         the last after {slowest:?}",
        probes.len()
    );
}
