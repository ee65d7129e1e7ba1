//! Counts sign-ins and registrations, and measures the queue of passwords. No label has a value of a client.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const SIGN_INS: &str = "accounts_sign_ins_total";
const REGISTRATIONS: &str = "accounts_registrations_total";
const REFUSED: &str = "accounts_refused_total";
const WAITING: &str = "accounts_passwords_waiting";
const HASHING: &str = "accounts_passwords_hashing";
const WAIT: &str = "accounts_passwords_wait_seconds";

/// The outcomes that are counted from zero, so that the first one is seen to be an increase.
const OUTCOMES: &[(&str, &[&str])] = &[
    (SIGN_INS, &["done", "invalid", "wrong", "limited", "failed"]),
    (
        REGISTRATIONS,
        &["done", "invalid", "taken", "limited", "failed"],
    ),
];

/// Describes and registers all metrics, with the recorder that is installed.
pub(crate) fn register() {
    use Unit::{Count, Seconds};
    describe_counter!(SIGN_INS, Count, "Sign-ins, by outcome");
    describe_counter!(REGISTRATIONS, Count, "Registrations, by outcome");
    describe_counter!(REFUSED, Count, "Passwords that were not checked, by reason");
    describe_gauge!(WAITING, Count, "Passwords that wait to be hashed");
    describe_gauge!(HASHING, Count, "Passwords that are being hashed");
    describe_histogram!(
        WAIT,
        Seconds,
        "Time that a password waited until it was hashed"
    );
    for (name, outcomes) in OUTCOMES {
        for outcome in *outcomes {
            let _ = counter!(*name, "outcome" => *outcome);
        }
    }
    for reason in ["limit", "busy"] {
        let _ = counter!(REFUSED, "reason" => reason);
    }
    passwords(0, 0);
    let _ = histogram!(WAIT);
}

pub(crate) fn signed_in(outcome: &'static str) {
    counter!(SIGN_INS, "outcome" => outcome).increment(1);
}

pub(crate) fn registered(outcome: &'static str) {
    counter!(REGISTRATIONS, "outcome" => outcome).increment(1);
}

/// Counts a password that was not checked, to sign in or for anything else.
pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

/// Sets the lengths of the queue of passwords.
pub(crate) fn passwords(waiting: usize, hashing: usize) {
    gauge!(WAITING).set(waiting as f64);
    gauge!(HASHING).set(hashing as f64);
}

pub(crate) fn password_waited(time: Duration) {
    histogram!(WAIT).record(time);
}
