//! Orders the passwords to hash, those of the least busy account and address first.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use rocket::tokio::sync::oneshot::Sender;

use super::Busy;

/// Accounts and addresses stay busy for this long after they left the queue.
const RECENT: Duration = Duration::from_secs(10);

/// The passwords that are hashed now, and those that wait.
pub(super) struct Queue {
    /// The number of passwords that are hashed at the same time.
    at_once: usize,
    /// The largest number of entries.
    capacity: usize,
    entries: Vec<Entry>,
    recent: VecDeque<(Instant, Keys)>,
    /// The number of `entries` and `recent` entries that have each key.
    shares: HashMap<String, usize>,
    last_id: u64,
}

struct Entry {
    id: u64,
    keys: Keys,
    step: Step,
}

enum Step {
    Reserved,
    Waiting(Sender<()>),
    Hashing,
}

/// The account and, if known, the client's address.
pub(super) type Keys = Vec<String>;

impl Queue {
    pub(super) fn new(at_once: usize, capacity: usize) -> Self {
        Self {
            at_once,
            capacity,
            entries: Vec::new(),
            recent: VecDeque::new(),
            shares: HashMap::new(),
            last_id: 0,
        }
    }

    /// Adds an entry and returns its id.
    ///
    /// If the queue is full, removes the busiest waiting entry in favour of a less busy one.
    pub(super) fn enter(&mut self, keys: Keys, now: Instant) -> Result<u64, Busy> {
        self.forget(now);
        self.count(&keys);
        if self.entries.len() >= self.capacity {
            let entries = self.entries.iter().enumerate();
            let evictable = entries.filter(|(_, entry)| !matches!(entry.step, Step::Hashing));
            let busiest = evictable.max_by_key(|(_, entry)| self.share(&entry.keys));
            let Some((at, _)) =
                busiest.filter(|(_, entry)| self.share(&entry.keys) > self.share(&keys))
            else {
                self.uncount(&keys);
                return Err(Busy);
            };
            let out = self.entries.remove(at);
            self.uncount(&out.keys);
        }
        self.last_id += 1;
        let (id, step) = (self.last_id, Step::Reserved);
        self.entries.push(Entry { id, keys, step });
        Ok(id)
    }

    /// Sends `permit` when it is this entry's turn, and drops it if a less busy entry took
    /// its place.
    pub(super) fn wait(&mut self, id: u64, permit: Sender<()>) {
        self.step(id, Step::Waiting(permit));
    }

    /// Ends hashing, keeps the entry, and starts the next one.
    pub(super) fn finish(&mut self, id: u64) {
        self.step(id, Step::Reserved);
    }

    /// Removes the entry. Its keys stay busy for a while.
    pub(super) fn leave(&mut self, id: u64, now: Instant) {
        if let Some(at) = self.entries.iter().position(|entry| entry.id == id) {
            let left = self.entries.remove(at);
            self.recent.push_back((now, left.keys));
            self.start_next();
        }
    }

    /// Returns how many passwords wait, and how many are hashed.
    pub(super) fn lengths(&self) -> [usize; 2] {
        let count = |is: fn(&Step) -> bool| self.entries.iter().filter(|it| is(&it.step)).count();
        [
            count(|step| matches!(step, Step::Waiting(_))),
            count(|step| matches!(step, Step::Hashing)),
        ]
    }

    fn step(&mut self, id: u64, step: Step) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.step = step;
            self.start_next();
        }
    }

    fn start_next(&mut self) {
        let hashing = |entry: &&Entry| matches!(entry.step, Step::Hashing);
        while self.entries.iter().filter(hashing).count() < self.at_once {
            let waiting = self.entries.iter().enumerate();
            let waiting = waiting.filter(|(_, entry)| matches!(entry.step, Step::Waiting(_)));
            let least = waiting.min_by_key(|(_, entry)| self.share(&entry.keys));
            let Some((at, _)) = least else {
                return;
            };
            let step = std::mem::replace(&mut self.entries[at].step, Step::Hashing);
            if let Step::Waiting(permit) = step
                && permit.send(()).is_err()
            {
                self.entries[at].step = Step::Reserved;
            }
        }
    }

    /// Returns the busyness of each key, in descending order.
    fn share(&self, keys: &Keys) -> Vec<usize> {
        let shares = keys.iter().map(|key| self.shares.get(key).copied());
        let mut shares: Vec<_> = shares.map(Option::unwrap_or_default).collect();
        shares.sort_unstable_by(|one, other| other.cmp(one));
        shares
    }

    fn count(&mut self, keys: &Keys) {
        for key in keys {
            *self.shares.entry(key.clone()).or_default() += 1;
        }
    }

    fn uncount(&mut self, keys: &Keys) {
        for key in keys {
            if let Some(share) = self.shares.get_mut(key) {
                *share -= 1;
                if *share == 0 {
                    self.shares.remove(key);
                }
            }
        }
    }

    fn forget(&mut self, now: Instant) {
        let is_old = |(left, _): &(Instant, Keys)| now.duration_since(*left) >= RECENT;
        while self.recent.front().is_some_and(is_old) {
            if let Some((_, keys)) = self.recent.pop_front() {
                self.uncount(&keys);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use rocket::tokio::sync::oneshot::{self, Receiver};

    use super::*;

    fn keys(address: &str, account: &str) -> Keys {
        vec![format!("address {address}"), format!("account {account}")]
    }

    /// Adds an entry and waits for its permit.
    fn ask(queue: &mut Queue, keys: Keys, now: Instant) -> Result<(u64, Receiver<()>), Busy> {
        let id = queue.enter(keys, now)?;
        let (permit, receiver) = oneshot::channel();
        queue.wait(id, permit);
        Ok((id, receiver))
    }

    #[test]
    fn the_least_busy_is_hashed_next_and_replaces_the_busiest() {
        let now = Instant::now();
        for busy in [
            |_| keys("192.0.2.1", "ada"),
            |number: usize| keys("192.0.2.1", &number.to_string()),
            |number: usize| keys(&number.to_string(), "ada"),
        ] {
            let mut queue = Queue::new(1, 4);
            let mut asked: Vec<_> = (0..4)
                .map(|number| ask(&mut queue, busy(number), now).unwrap())
                .collect();
            assert!(ask(&mut queue, busy(4), now).is_err(), "all are as busy");
            let (_, mut grace) = ask(&mut queue, keys("192.0.2.2", "grace"), now).unwrap();
            let turns = asked.iter_mut().map(|(_, permit)| permit.try_recv());
            let turns: Vec<_> = turns.map(|permit| format!("{permit:?}")).collect();
            let expected = ["Ok(())", "Err(Empty)", "Err(Empty)", "Err(Closed)"];
            assert_eq!(turns, expected, "one is hashed, and the last is out");
            queue.leave(asked[0].0, now);
            assert_eq!(grace.try_recv(), Ok(()));
        }
    }

    #[test]
    fn an_idle_account_of_a_busy_address_comes_first() {
        let (now, mut queue) = (Instant::now(), Queue::new(1, 4));
        let busy = || keys("192.0.2.1", "ada");
        let asked = [(); 4].map(|()| ask(&mut queue, busy(), now).unwrap());
        let (_, mut grace) = ask(&mut queue, keys("192.0.2.1", "grace"), now).unwrap();
        queue.leave(asked[0].0, now);
        assert_eq!(grace.try_recv(), Ok(()));
    }

    #[test]
    fn a_key_stays_busy_for_a_while_after_hashing() {
        let (now, mut queue) = (Instant::now(), Queue::new(1, 2));
        let (id, _turn) = ask(&mut queue, keys("192.0.2.1", "ada"), now).unwrap();
        queue.leave(id, now);
        let busy = keys("192.0.2.1", "ada");
        let mut asked = [(); 2].map(|()| ask(&mut queue, busy.clone(), now).unwrap());
        let other = ask(&mut queue, keys("192.0.2.2", "grace"), now);
        assert!(other.is_ok() && asked[1].1.try_recv().is_err());
        queue.forget(now + RECENT);
        assert_eq!(queue.shares[&busy[0]], 1);
        queue.leave(asked[0].0, now + RECENT);
        queue.leave(other.unwrap().0, now + RECENT);
        queue.forget(now + 2 * RECENT);
        assert!(queue.shares.is_empty() && queue.entries.is_empty());
    }

    #[test]
    fn a_permit_that_nobody_waits_for_goes_to_the_next() {
        let (now, mut queue) = (Instant::now(), Queue::new(1, 4));
        let (first, _turn) = ask(&mut queue, keys("192.0.2.1", "ada"), now).unwrap();
        drop(ask(&mut queue, keys("192.0.2.2", "bob"), now));
        let (_, mut third) = ask(&mut queue, keys("192.0.2.3", "grace"), now).unwrap();
        queue.finish(first);
        assert_eq!(third.try_recv(), Ok(()));
    }
}
