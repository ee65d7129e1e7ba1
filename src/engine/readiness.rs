//! Whether the store answers, known from the requests that use it and from a check where there are none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rocket::tokio::spawn;
use rocket::tokio::sync::Notify;
use rocket::tokio::time::timeout;

use crate::engine::context::Context;
use crate::engine::threads::Waited;
use crate::error::Error;
use crate::token::Token;

/// The least time between the beginnings of two checks, and the longest wait for one.
const PAUSE: Duration = Duration::from_secs(1);

impl Context {
    /// Returns `true` if the store, and the users' database if it is another one, have answered `within` this
    /// time.
    pub(crate) async fn is_ready(self: &Arc<Self>, within: Duration) -> bool {
        if self.readiness.begins_check(within) {
            let context = self.clone();
            // Goes on if the client that caused it does not wait.
            spawn(async move {
                if let Err(error) = context.check().await {
                    log::debug!("the store did not answer a check: {error}");
                }
                context.readiness.end_check();
            });
        }
        self.readiness.is_recent(within).await
    }

    /// Loads a session and a user that do not exist, as requests load theirs.
    async fn check(&self) -> Result<(), Error> {
        let waited = Waited::default();
        self.load(&waited, Token::generate()?.key(), self.now())
            .await?;
        if let Some(user_of) = self.user_of.clone() {
            let user = self.threads.ask(&waited, move || user_of("")).await;
            let [_, of_users] = &self.outages;
            of_users.note(&user);
            user?;
            self.readiness.answered();
        }
        Ok(())
    }
}

#[derive(Default)]
pub(crate) struct Readiness {
    seen: Mutex<Seen>,
    checked: Notify,
}

impl Readiness {
    /// Notes that a request had an answer of the store.
    pub(crate) fn answered(&self) {
        self.seen().answered_at = Some(Instant::now());
    }

    /// Returns `true` if the caller has to make a check, which [`end_check`](Self::end_check) ends.
    fn begins_check(&self, within: Duration) -> bool {
        self.seen().begins_check(Instant::now(), within)
    }

    fn end_check(&self) {
        self.seen().is_checking = false;
        self.checked.notify_waiters();
    }

    /// Returns `true` if the store has answered `within` this time. Waits for a check if it has not.
    async fn is_recent(&self, within: Duration) -> bool {
        loop {
            let checked = self.checked.notified();
            let next = self.seen().next(Instant::now(), within);
            match next {
                Next::Answer(is_recent) => return is_recent,
                Next::Wait(longest) => drop(timeout(longest, checked).await),
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Seen {
    answered_at: Option<Instant>,
    /// When the last check began.
    checked_at: Option<Instant>,
    is_checking: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Answer(bool),
    /// For the check, no longer than this.
    Wait(Duration),
}

impl Seen {
    fn begins_check(&mut self, now: Instant, within: Duration) -> bool {
        let is_older = |at: Option<Instant>, age| at.is_none_or(|at| now.duration_since(at) >= age);
        let is_due = !self.is_checking
            && is_older(self.answered_at, PAUSE.max(within / 2))
            && is_older(self.checked_at, PAUSE);
        if is_due {
            self.is_checking = true;
            self.checked_at = Some(now);
        }
        is_due
    }

    fn next(&self, now: Instant, within: Duration) -> Next {
        let since = |at: Option<Instant>| at.map(|at| now.duration_since(at));
        if since(self.answered_at).is_some_and(|age| age <= within) {
            return Next::Answer(true);
        }
        let waited = since(self.checked_at).filter(|_| self.is_checking);
        match waited.and_then(|waited| PAUSE.checked_sub(waited)) {
            Some(rest) if !rest.is_zero() => Next::Wait(rest),
            _ => Next::Answer(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(5);

    /// The time so many milliseconds after `begin`.
    fn at(begin: Instant, millis: u64) -> Instant {
        begin + Duration::from_millis(millis)
    }

    #[test]
    fn answers_of_requests_spare_the_check() {
        let (begin, mut seen) = (Instant::now(), Seen::default());
        for second in 0..60 {
            let now = at(begin, second * 1_000);
            seen.answered_at = Some(now);
            let later = at(now, 2_499);
            assert!(!seen.begins_check(later, WITHIN));
            assert_eq!(seen.next(later, WITHIN), Next::Answer(true));
        }
    }

    #[test]
    fn one_check_a_second_begins_at_most() {
        let (begin, mut seen) = (Instant::now(), Seen::default());
        let mut begun = Vec::new();
        for millis in 0..5_000 {
            if seen.begins_check(at(begin, millis), WITHIN) {
                begun.push(millis);
                seen.is_checking = false; // it failed at once
            }
        }
        assert_eq!(begun, [0, 1_000, 2_000, 3_000, 4_000]);
        assert!(seen.begins_check(at(begin, 5_000), WITHIN));
        let hanging = (5_001..60_000).find(|it| seen.begins_check(at(begin, *it), WITHIN));
        assert_eq!(hanging, None, "one check at a time");
    }

    #[test]
    fn a_store_that_answers_is_checked_twice_in_the_time() {
        let (begin, mut seen) = (Instant::now(), Seen::default());
        let checks = (0..60_000).filter(|millis| {
            let now = at(begin, *millis);
            let begins = seen.begins_check(now, WITHIN);
            if begins {
                seen.is_checking = false;
                seen.answered_at = Some(now);
            }
            assert_eq!(seen.next(now, WITHIN), Next::Answer(true));
            begins
        });
        assert_eq!(checks.count(), 24);
    }

    #[test]
    fn a_store_that_hangs_is_not_ready_after_the_time() {
        let (begin, mut seen) = (Instant::now(), Seen::default());
        seen.answered_at = Some(begin);
        assert!(seen.begins_check(at(begin, 2_500), WITHIN));
        for millis in [2_500, 3_500, 5_000] {
            let next = seen.next(at(begin, millis), WITHIN);
            assert_eq!(next, Next::Answer(true), "{millis}");
        }
        assert_eq!(seen.next(at(begin, 5_001), WITHIN), Next::Answer(false));
    }

    #[test]
    fn an_old_answer_waits_for_the_check_for_a_second() {
        let (begin, mut seen) = (Instant::now(), Seen::default());
        assert_eq!(seen.next(begin, WITHIN), Next::Answer(false));
        assert!(seen.begins_check(begin, WITHIN));
        let next = seen.next(at(begin, 400), WITHIN);
        assert_eq!(next, Next::Wait(Duration::from_millis(600)));
        let answered = Seen {
            answered_at: Some(at(begin, 401)),
            ..seen
        };
        let next = answered.next(at(begin, 402), WITHIN);
        assert_eq!(next, Next::Answer(true));
        let next = seen.next(at(begin, 1_000), WITHIN);
        assert_eq!(next, Next::Answer(false));
    }
}
