//! A queue of one sort of ask, where a free thread answers all that waits by one call.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rocket::tokio::sync::oneshot;

use crate::engine::threads::{Threads, Waited, caught, full};
use crate::error::Error;
use crate::metrics::{self, Since};
use crate::store::span::Span;
use crate::token::Key;

/// The most asks of one batch.
const MOST: usize = 16;

/// The most bytes of one batch, unless its first ask is larger.
const MOST_BYTES: usize = 256 * 1024;

/// An ask that a thread answers together with others.
pub(crate) trait Ask: Send + 'static {
    type Answer: Send + 'static;

    /// The door's label in metrics.
    const DOOR: &'static str;

    /// Returns the key that no other ask has while this one is being answered, if it needs that.
    fn locks(&self) -> Option<&Key>;

    fn bytes(&self) -> usize;
}

type Waiting<A> = (A, Asker<<A as Ask>::Answer>);
type Answer<A> = dyn Fn(&[A]) -> Vec<Result<<A as Ask>::Answer, Error>> + Send + Sync;

/// The request that waits for an answer.
struct Asker<T> {
    answer: oneshot::Sender<Result<T, Error>>,
    span: Span,
    since: Since,
}

/// A clone shares the queue.
pub(crate) struct Door<A: Ask>(Arc<SharedDoor<A>>);

struct SharedDoor<A: Ask> {
    queue: Mutex<Queue<A>>,
    longest: usize,
    threads: Threads,
    answer: Box<Answer<A>>,
}

struct Queue<A: Ask> {
    waiting: VecDeque<Waiting<A>>,
    /// Each key in work, with the beginning of its batch.
    locked: HashMap<Key, Instant>,
    /// A batch that takes longer locks its keys no more: perhaps it hangs.
    patience: Duration,
    /// A thread has been asked to take a batch, and has not begun.
    called: bool,
}

impl<A: Ask> Door<A> {
    /// Has `threads` answer the asks, of which up to `longest` wait.
    pub(crate) fn new(
        threads: Threads,
        longest: usize,
        answer: impl Fn(&[A]) -> Vec<Result<A::Answer, Error>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(SharedDoor {
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                locked: HashMap::new(),
                patience: threads.deadline() / 2,
                called: false,
            }),
            longest,
            threads,
            answer: Box::new(answer),
        }))
    }

    /// Returns the answer of the batch that takes this ask.
    ///
    /// A lone ask goes at once; what comes while all threads work waits for the first that is free. Fails as
    /// [`Threads::ask`] does.
    pub(crate) async fn ask(&self, waited: &Waited, ask: A) -> Result<A::Answer, Error> {
        let (answer, answered) = oneshot::channel();
        let (span, since) = (Span::current(), Since::now());
        {
            let mut queue = self.0.lock();
            if queue.waiting.len() >= self.0.longest {
                return Err(full().of_store());
            }
            let asker = Asker {
                answer,
                span,
                since,
            };
            queue.waiting.push_back((ask, asker));
            metrics::waiting_at_door(A::DOOR, queue.waiting.len());
            self.0.call(&mut queue);
        }
        let answer = self.0.threads.wait(waited, answered).await;
        if answer.is_err() {
            // Perhaps the key of one that waits behind this one is free by now.
            self.0.call(&mut self.0.lock());
        }
        answer.map_err(Error::of_store)
    }
}

impl<A: Ask> SharedDoor<A> {
    fn lock(&self) -> MutexGuard<'_, Queue<A>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a thread take a batch, unless one is about to or nothing can be taken.
    fn call(self: &Arc<Self>, queue: &mut Queue<A>) {
        if queue.called {
            return self.threads.replace_hung();
        }
        if queue.waiting.iter().any(|(ask, _)| queue.is_free(ask)) {
            let door = self.clone();
            queue.called = self.threads.submit(Box::new(move || door.serve()));
        }
    }

    fn serve(self: &Arc<Self>) {
        let began = Instant::now();
        let (asks, askers) = {
            let mut queue = self.lock();
            queue.called = false;
            let batch = queue.take(began);
            metrics::waiting_at_door(A::DOOR, queue.waiting.len());
            self.call(&mut queue);
            batch
        };
        if asks.is_empty() {
            return;
        }
        metrics::batch_of_door(A::DOOR, askers.iter().map(|asker| asker.since));
        let span = Span::of_batch(asks.len());
        askers.iter().for_each(|asker| span.works_for(&asker.span));
        let results = caught(|| span.around(|| (self.answer)(&asks)));
        {
            let mut queue = self.lock();
            for key in asks.iter().filter_map(A::locks) {
                if queue.locked.get(key) == Some(&began) {
                    queue.locked.remove(key);
                }
            }
            self.call(&mut queue);
        }
        // An asker that has its answer owns what it asked with.
        drop(asks);
        match results {
            Ok(results) => askers.into_iter().zip(results).for_each(|(asker, result)| {
                let _ = asker.answer.send(result);
            }),
            Err(panic) => askers.into_iter().for_each(|asker| {
                let _ = asker.answer.send(Err(panic.copy()));
            }),
        }
    }
}

impl<A: Ask> Queue<A> {
    fn is_free(&self, ask: &A) -> bool {
        let began = ask.locks().and_then(|key| self.locked.get(key));
        began.is_none_or(|began| began.elapsed() > self.patience)
    }

    /// Takes what waits, first come, first served. Leaves out an ask whose asker gave up, and one whose key
    /// is being answered.
    fn take(&mut self, began: Instant) -> (Vec<A>, Vec<Asker<A::Answer>>) {
        let (mut asks, mut askers, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut later = VecDeque::new();
        while let Some((ask, asker)) = self.waiting.pop_front() {
            if asker.answer.is_closed() {
                continue;
            }
            let fits = asks.is_empty() || bytes + ask.bytes() <= MOST_BYTES;
            if !fits || asks.len() == MOST {
                later.push_back((ask, asker));
                break;
            }
            if !self.is_free(&ask) {
                later.push_back((ask, asker));
                continue;
            }
            bytes += ask.bytes();
            self.locked
                .extend(ask.locks().map(|key| (key.clone(), began)));
            asks.push(ask);
            askers.push(asker);
        }
        while let Some(one) = later.pop_back() {
            self.waiting.push_front(one);
        }
        (asks, askers)
    }
}

#[cfg(test)]
mod tests;
