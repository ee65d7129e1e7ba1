//! Nothing disturbs the work.

use testing::database::TestDatabase;
use testing::on_every_store;

use super::disturbance::Disturbance;
use super::{counters, sign_outs};

on_every_store!(
    each_counter_ends_at_what_was_acknowledged,
    no_session_comes_back
);

fn each_counter_ends_at_what_was_acknowledged(database: &TestDatabase) {
    let _alone = crate::alone();
    counters::each_ends_at_what_was_acknowledged(database, Disturbance::None);
}

fn no_session_comes_back(database: &TestDatabase) {
    let _alone = crate::alone();
    sign_outs::no_session_comes_back(database, Disturbance::None);
}
