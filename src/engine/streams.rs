//! Asks the store in intervals whether the sessions of open streams have ended elsewhere.

use std::pin::pin;
use std::sync::Weak;
use std::time::Duration;

use rocket::tokio::select;
use rocket::tokio::time::sleep;

use crate::engine::context::Context;
use crate::engine::threads::Waited;
use crate::error::Error;
use crate::store::Store;
use crate::token::Key;

/// The most sessions of one statement.
const MOST: usize = 1_000;

type Expiry = (Key, Result<Option<i64>, Error>);

/// Checks the streams until the server stops, which ends them.
pub(crate) async fn watch(context: Weak<Context>, interval: Duration, shutdown: impl Future) {
    let mut shutdown = pin!(shutdown);
    loop {
        let round = async {
            sleep(interval).await;
            match context.upgrade() {
                Some(context) => {
                    check(&context).await;
                    true
                }
                None => false,
            }
        };
        select! {
            _ = &mut shutdown => break,
            goes_on = round => if !goes_on {
                return;
            },
        }
    }
    if let Some(context) = context.upgrade() {
        context.events.streams.stop();
    }
}

/// Ends the streams of the sessions that the store has no more. A store that fails ends none.
async fn check(context: &Context) {
    let streams = &context.events.streams;
    for keys in streams.keys().chunks(MOST) {
        let (keys, now) = (keys.to_vec(), context.now());
        let ask = move |store: &dyn Store| Ok(expiries(store, keys, now));
        let found = context.ask(&Waited::default(), ask).await;
        let unknown = |error: &Error| log::debug!("open streams were not checked: {error}");
        for (key, expiry) in found.inspect_err(unknown).unwrap_or_default() {
            if let Ok(expiry) = expiry.inspect_err(unknown) {
                streams.note(&key, expiry, now);
            }
        }
    }
}

fn expiries(store: &dyn Store, keys: Vec<Key>, now: i64) -> Vec<Expiry> {
    let expiries = store.expiries(&keys.iter().collect::<Vec<_>>(), now);
    keys.into_iter().zip(expiries).collect()
}
