use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rocket::tokio::runtime::{Builder, Runtime};
use rocket::tokio::task::{JoinHandle, yield_now};

use super::*;
use crate::error::ErrorKind;
use crate::token::Token;

/// Answers with its number; `key` and `bytes` are what the door asks for.
struct Number {
    number: u32,
    key: Option<Key>,
    bytes: usize,
}

impl Ask for Number {
    type Answer = u32;
    const DOOR: &'static str = "loads";

    fn locks(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A door whose threads report each batch and then wait to be let on.
struct Gate {
    door: Arc<Door<Number>>,
    batches: Receiver<Vec<u32>>,
    go_on: Sender<()>,
    runtime: Runtime,
}

/// A batch with this number panics.
const UNLUCKY: u32 = 99;

const LONG: Duration = Duration::from_secs(20);

impl Gate {
    fn new(threads: u32, longest: usize, deadline: Duration) -> Self {
        let (batch, batches) = channel();
        let (go_on, gone_on) = channel::<()>();
        let gone_on = Mutex::new(gone_on);
        let threads = Threads::start(threads, 1, deadline).unwrap();
        let door = Door::new(threads, longest, move |asks: &[Number]| {
            let numbers: Vec<_> = asks.iter().map(|ask| ask.number).collect();
            batch.send(numbers.clone()).unwrap();
            gone_on.lock().unwrap().recv_timeout(LONG).unwrap();
            assert!(!numbers.contains(&UNLUCKY), "a panic of the test");
            numbers.into_iter().map(Ok).collect()
        });
        Self {
            door: Arc::new(door),
            batches,
            go_on,
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    /// Asks, and returns once the ask waits or has failed.
    fn ask_for(&self, ask: Number) -> JoinHandle<Result<u32, Error>> {
        let door = self.door.clone();
        let answer = async move { door.ask(&Waited::default(), ask).await };
        let answer = self.runtime.spawn(answer);
        self.runtime.block_on(yield_now());
        answer
    }

    fn ask(&self, number: u32) -> JoinHandle<Result<u32, Error>> {
        let (key, bytes) = (None, 0);
        self.ask_for(Number { number, key, bytes })
    }

    fn batch(&self) -> Vec<u32> {
        self.batches.recv_timeout(LONG).unwrap()
    }

    /// Begins a batch of one, during which others wait.
    fn busy(&self) -> JoinHandle<Result<u32, Error>> {
        let first = self.ask(0);
        assert_eq!(self.batch(), [0]);
        first
    }

    fn go_on(&self) {
        self.go_on.send(()).unwrap();
    }

    fn answer(&self, asked: JoinHandle<Result<u32, Error>>) -> Result<u32, Error> {
        self.runtime.block_on(asked).unwrap()
    }
}

#[test]
fn a_lone_ask_goes_at_once_and_alone() {
    let gate = Gate::new(1, 9, LONG);
    for number in [1, 2] {
        let asked = gate.ask(number);
        assert_eq!(gate.batch(), [number]);
        gate.go_on();
        assert_eq!(gate.answer(asked).unwrap(), number);
    }
}

#[test]
fn all_that_waits_is_one_batch_in_the_order_in_which_it_came() {
    let gate = Gate::new(1, 99, LONG);
    let first = gate.busy();
    let asked: Vec<_> = (1..=20).map(|number| gate.ask(number)).collect();
    let measured = [
        "session_door_batch_size loads",
        "session_door_wait_seconds loads",
    ];
    metrics::raised(&measured, || {
        gate.go_on();
        assert_eq!(gate.answer(first).unwrap(), 0);
        assert_eq!(gate.batch(), Vec::from_iter(1..=16));
    });
    gate.go_on();
    assert_eq!(gate.batch(), [17, 18, 19, 20]);
    gate.go_on();
    for (asked, number) in asked.into_iter().zip(1..) {
        assert_eq!(gate.answer(asked).unwrap(), number);
    }
}

#[test]
fn a_second_thread_takes_what_comes_while_the_first_works() {
    let gate = Gate::new(2, 9, LONG);
    let (first, second) = (gate.busy(), gate.ask(1));
    assert_eq!(gate.batch(), [1]);
    gate.go_on();
    gate.go_on();
    assert_eq!(gate.answer(first).unwrap(), 0);
    assert_eq!(gate.answer(second).unwrap(), 1);
}

#[test]
fn a_batch_has_a_limited_number_of_bytes_and_at_least_one_ask() {
    let gate = Gate::new(1, 9, LONG);
    let _first = gate.busy();
    let sizes = [MOST_BYTES / 2, MOST_BYTES / 2, 1, 2 * MOST_BYTES, 1];
    let _asked: Vec<_> = (1..)
        .zip(sizes)
        .map(|(number, bytes)| {
            gate.ask_for(Number {
                number,
                key: None,
                bytes,
            })
        })
        .collect();
    for batch in [&[1, 2][..], &[3], &[4], &[5]] {
        gate.go_on();
        assert_eq!(gate.batch(), batch);
    }
    gate.go_on();
}

#[test]
fn a_key_is_answered_once_at_a_time_and_holds_up_no_other() {
    let gate = Gate::new(2, 9, LONG);
    let [one, other] = [(); 2].map(|()| Some(Token::generate().unwrap().key()));
    let bytes = 0;
    let ask = |number, key: &Option<Key>| {
        let key = key.clone();
        gate.ask_for(Number { number, key, bytes })
    };
    let _asked = [ask(1, &one)];
    assert_eq!(gate.batch(), [1]);
    let _asked = [ask(2, &one), ask(3, &other), ask(4, &one)];
    assert_eq!(
        gate.batch(),
        [3],
        "a free thread leaves out the key in work"
    );
    for number in [2, 4] {
        gate.go_on();
        gate.go_on();
        assert_eq!(
            gate.batch(),
            [number],
            "the second of a key waits for the first"
        );
    }
    gate.go_on();
}

#[test]
fn a_batch_that_hangs_keeps_its_keys_no_longer_than_half_the_deadline() {
    let deadline = Duration::from_secs(2);
    let gate = Gate::new(2, 9, deadline);
    let [one, other] = [(); 2].map(|()| Some(Token::generate().unwrap().key()));
    let ask = |number, key: &Option<Key>| {
        let (key, bytes) = (key.clone(), 0);
        gate.ask_for(Number { number, key, bytes })
    };
    let hangs = ask(1, &one);
    assert_eq!(gate.batch(), [1]);
    std::thread::sleep(deadline * 3 / 8);
    let _behind = ask(2, &one);
    gate.answer(hangs).unwrap_err();
    assert_eq!(gate.batch(), [2], "while the first is in work");
    // The first ends; the key is that of the second.
    gate.go_on();
    let _asked = [ask(3, &one), ask(4, &other)];
    assert_eq!(gate.batch(), [4]);
    for _ in 0..3 {
        gate.go_on();
    }
}

#[test]
fn an_asker_that_gave_up_is_left_out() {
    let gate = Gate::new(1, 9, LONG);
    let first = gate.busy();
    let (gone, stays) = (gate.ask(1), gate.ask(2));
    gone.abort();
    gate.runtime.block_on(yield_now());
    gate.go_on();
    assert_eq!(gate.batch(), [2]);
    gate.go_on();
    assert_eq!(gate.answer(first).unwrap(), 0);
    assert_eq!(gate.answer(stays).unwrap(), 2);
}

#[test]
fn an_ask_waits_no_longer_than_its_deadline() {
    let gate = Gate::new(1, 9, Duration::from_millis(50));
    let first = gate.busy();
    let error = metrics::raised(&["session_store_timeouts_total"], || {
        gate.answer(first).unwrap_err()
    });
    assert!(error.is_outage(), "{error}");
    let text = "the store did not answer within 50ms";
    assert_eq!(error.to_string(), text);
    gate.go_on();
}

#[test]
fn a_full_queue_refuses_at_once() {
    let gate = Gate::new(1, 2, LONG);
    let first = gate.busy();
    let waiting = [gate.ask(1), gate.ask(2)];
    let error = metrics::raised(&["session_store_refused_total"], || {
        gate.answer(gate.ask(3)).unwrap_err()
    });
    assert!(error.is_outage(), "{error}");
    assert!(error.to_string().contains("queue"), "{error}");
    gate.go_on();
    gate.go_on();
    for (asked, number) in [first].into_iter().chain(waiting).zip(0..) {
        assert_eq!(gate.answer(asked).unwrap(), number);
    }
}

#[test]
fn a_panic_answers_its_batch_and_no_other() {
    let gate = Gate::new(1, 9, LONG);
    let first = gate.busy();
    let unlucky = [gate.ask(UNLUCKY), gate.ask(14)];
    gate.go_on();
    assert_eq!(gate.batch(), [UNLUCKY, 14]);
    gate.go_on();
    assert_eq!(gate.answer(first).unwrap(), 0);
    for asked in unlucky {
        let error = gate.answer(asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    let after = gate.ask(15);
    assert_eq!(gate.batch(), [15]);
    gate.go_on();
    assert_eq!(gate.answer(after).unwrap(), 15);
}

#[test]
fn what_was_asked_is_answered_after_the_door_is_gone() {
    let gate = Gate::new(1, 9, LONG);
    let asked = [gate.busy(), gate.ask(1)];
    let Gate {
        door,
        batches,
        go_on,
        runtime,
    } = gate;
    drop(door);
    go_on.send(()).unwrap();
    go_on.send(()).unwrap();
    assert_eq!(batches.recv_timeout(LONG).unwrap(), [1]);
    for (asked, number) in asked.into_iter().zip(0..) {
        assert_eq!(runtime.block_on(asked).unwrap().unwrap(), number);
    }
}

#[test]
fn a_thread_that_hangs_is_replaced() {
    let gate = Gate::new(1, 9, Duration::from_millis(20));
    let hangs = gate.busy();
    gate.answer(hangs).unwrap_err();
    std::thread::sleep(Duration::from_millis(40));
    let _asked = metrics::raised(&["session_store_threads_replaced_total"], || {
        [gate.ask(1), gate.ask(2)]
    });
    let batch = gate.batch();
    assert!([vec![1], vec![1, 2]].contains(&batch), "{batch:?}");
    gate.go_on();
    gate.go_on();
}
