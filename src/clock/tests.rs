//! Clocks that are apart, set while the application runs, or not answered for; no test waits.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

use super::*;

const NOW: i64 = 1_790_000_000_000;
const MINUTE: i64 = 60_000;
const QUICK: Duration = Duration::from_millis(2);

fn millis(millis: i64) -> Duration {
    Duration::from_millis(millis.unsigned_abs())
}

fn following() -> (StoreTime, Instant) {
    let known = StoreTime {
        follows: true,
        ..StoreTime::default()
    };
    (known, Instant::now())
}

fn anchor(at: Instant, local: i64) -> Anchor {
    Anchor {
        at,
        store: NOW,
        local,
    }
}

#[test]
fn the_store_s_time_goes_on_whatever_this_machine_s_clock_says() {
    let anchor = anchor(Instant::now(), NOW - 180 * MINUTE);
    let later = anchor.at + millis(MINUTE);
    assert_eq!(anchor.store_at(anchor.at), NOW);
    assert_eq!(anchor.store_at(later), NOW + MINUTE);
    assert_eq!(anchor.step(later, NOW - 179 * MINUTE), 0);
    assert_eq!(anchor.step(later, NOW - 185 * MINUTE), -6 * MINUTE);
}

#[test]
fn the_store_is_asked_each_minute_if_somebody_wants_to_know_the_time() {
    let (mut known, start) = following();
    assert!(!known.is_due(start, NOW), "nobody asks");
    known.is_used = true;
    assert!(known.is_due(start, NOW), "for the first time");
    known.asked_at = Some(start);
    known.learn(Some(anchor(start, NOW)), QUICK);
    let after = |passed: i64| known.is_due(start + millis(passed), NOW + passed);
    assert!(!after(MINUTE - 1));
    assert!(after(MINUTE));
    known.follows = false;
    assert!(!known.is_due(start + millis(MINUTE), NOW + MINUTE));
}

#[test]
fn the_store_is_asked_soon_after_this_machine_s_clock_was_set() {
    let (mut known, start) = following();
    known.asked_at = Some(start);
    known.learn(Some(anchor(start, NOW)), QUICK);
    for step in [6 * MINUTE, -6 * MINUTE, 1_001] {
        let after = |passed: i64| known.is_due(start + millis(passed), NOW + passed + step);
        assert!(!after(4_999), "{step}");
        assert!(after(5_000), "{step}");
    }
    assert!(!known.is_due(start + millis(5_000), NOW + 5_000 + 1_000));
}

#[test]
fn a_slow_answer_is_better_than_none_and_worse_than_a_quick_one() {
    let (mut known, start) = following();
    let slow = Duration::from_secs(2);
    let [first, second] = [NOW, NOW + MINUTE].map(|local| anchor(start, local));
    known.learn(Some(first), slow);
    assert_eq!(known.anchor, Some(first));
    known.learn(Some(second), slow);
    assert_eq!(known.anchor, Some(first));
    known.learn(Some(second), QUICK);
    assert_eq!(known.anchor, Some(second));
}

#[test]
fn clocks_that_are_apart_are_warned_of_once_an_hour() {
    let (mut known, start) = following();
    let mut learn = |passed: i64, local: i64| {
        let at = start + millis(passed * MINUTE);
        known.learn(Some(anchor(at, local)), QUICK)
    };
    assert_eq!(learn(0, NOW + 1_000), None);
    assert_eq!(learn(1, NOW - 1_000), None);
    let behind = learn(2, NOW - 6 * MINUTE).unwrap();
    assert!(behind.contains("is 6m behind the database"), "{behind}");
    assert_eq!(learn(61, NOW + 180 * MINUTE), None);
    let ahead = learn(62, NOW + 180 * MINUTE).unwrap();
    assert!(ahead.contains("is 3h ahead of the database"), "{ahead}");
}

#[test]
fn cleanup_waits_for_a_day_unless_the_clock_is_shared() {
    let clock = Clock::of_this_machine();
    clock.follow(|| Ok(None)).unwrap();
    let past = clock.past_everywhere();
    let day = Utc::now().timestamp_millis() - past;
    assert!((TOLERANCE..TOLERANCE + MINUTE).contains(&day), "{day}");

    clock.known().anchor = Some(anchor(Instant::now(), 0));
    let passed = clock.past_everywhere() - NOW;
    assert!((0..MINUTE).contains(&passed), "{passed}");

    let given = Clock::given(|| DateTime::from_timestamp_millis(NOW).unwrap());
    assert_eq!(given.past_everywhere(), NOW);
}
