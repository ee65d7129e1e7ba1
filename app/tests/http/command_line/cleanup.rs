//! Runs `sessions cleanup`.

use rocket::serde::json::json;

use super::program::{HOUR, anonymous, many, now, run, run_with};
use testing::database::TestDatabase;
use testing::on_every_backend;

on_every_backend!(expired_sessions_are_deleted_and_long_work_reports_its_progress);

fn expired_sessions_are_deleted_and_long_work_reports_its_progress(database: &TestDatabase) {
    // Each takes 5 ms or more, so that a report is due.
    many(database, 250, now() - 1);
    let live = anonymous("f1", now() + HOUR);
    database.store.insert(&live).unwrap();
    let small = [("ROCKET_SESSION", "{cleanup_batch=1}")];
    let deleted = run_with(&database.url, &["sessions", "cleanup"], &small);
    assert_eq!(
        (deleted.code, &*deleted.stdout),
        (0, "250 expired sessions deleted\n")
    );
    let so_far = deleted.stderr.lines().map(|line| {
        let count = line.strip_suffix(" expired sessions deleted so far");
        count.expect("a line of progress").parse::<u32>().unwrap()
    });
    let so_far: Vec<_> = so_far.collect();
    assert!(!so_far.is_empty() && so_far.is_sorted(), "{so_far:?}");
    assert!(
        so_far.iter().all(|count| (1..=250).contains(count)),
        "{so_far:?}"
    );

    assert_eq!(database.store.all(0, None, 10).unwrap(), [live]);
    let nothing_left = run(database, &["sessions", "cleanup", "--json"]).json();
    assert_eq!(nothing_left, json!({ "deleted": 0 }));
}
