//! Spans of the crate `tracing` around loads, saves and calls of the store. Without the feature `tracing` they do
//! nothing.

use std::fmt;

use crate::error::Error;

#[cfg(feature = "tracing")]
const TARGET: &str = "rocket_diesel_session::spans";

/// A span. No field has a key, a token, a user or a value of a session.
#[derive(Clone)]
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    inner: tracing::Span,
}

/// Makes a span with these fields, and an outcome that is recorded later.
macro_rules! span {
    ($name:literal $(, $($fields:tt)+)?) => {
        Self {
            #[cfg(feature = "tracing")]
            inner: tracing::debug_span!(
                target: TARGET,
                $name,
                $($($fields)+,)?
                outcome = tracing::field::Empty
            ),
        }
    };
}

#[cfg_attr(
    not(feature = "tracing"),
    allow(unused_variables, reason = "without the feature there are no fields")
)]
impl Span {
    /// Returns the span of a request that loads its session.
    pub(crate) fn of_load() -> Self {
        span!("session_load")
    }

    /// Returns the span of a plan that is carried out.
    pub(crate) fn of_save(verb: impl fmt::Debug) -> Self {
        span!("session_save", verb = ?verb)
    }

    /// Returns the span of one call of the store.
    pub(super) fn of_call(verb: &'static str, backend: &str, records: usize) -> Self {
        span!("store", verb, backend, records)
    }

    /// Returns the span of asks that one call of the store answers.
    pub(crate) fn of_batch(size: usize) -> Self {
        span!("store_batch", size)
    }

    /// Returns the span of this request, for its work on another thread.
    pub(crate) fn current() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            inner: tracing::Span::current(),
        }
    }

    /// Notes that this span works for another one, too.
    pub(crate) fn works_for(&self, other: &Self) {
        #[cfg(feature = "tracing")]
        self.inner.follows_from(&other.inner);
    }

    /// Runs `work` within the span.
    pub(crate) fn around<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let _entered = self.inner.enter();
        work()
    }

    /// Runs `work` within the span, and records its outcome.
    pub(crate) async fn during<T>(
        self,
        work: impl Future<Output = Result<T, Error>>,
        outcome: fn(&T) -> &'static str,
    ) -> Result<T, Error> {
        #[cfg(feature = "tracing")]
        let work = tracing::Instrument::instrument(work, self.inner.clone());
        let answer = work.await;
        self.record(&answer, outcome);
        answer
    }

    /// Records the outcome, and of an error nothing but that it happened.
    pub(super) fn record<T, D: fmt::Display>(
        &self,
        answer: &Result<T, Error>,
        outcome: impl FnOnce(&T) -> D,
    ) {
        #[cfg(feature = "tracing")]
        if !self.inner.is_disabled() {
            let outcome = match answer {
                Ok(answer) => outcome(answer).to_string(),
                Err(_) => "failed".to_owned(),
            };
            self.inner.record("outcome", outcome.as_str());
        }
    }
}
