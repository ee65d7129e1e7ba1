//! The sweeper: deletes expired sessions from time to time, a few at once. Nothing depends on it.

use std::sync::Arc;
use std::time::Duration;

use rocket::Shutdown;
use rocket::tokio::{self, time::sleep};

use crate::context::{Context, Waited};
use crate::error::Error;

/// Between two batches, so that live sessions come first.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn start(context: Arc<Context>, shutdown: Shutdown) {
    let Some(interval) = context.config.sweep_interval() else {
        return;
    };
    tokio::spawn(async move {
        let for_ever = async {
            loop {
                // Jitter, so that the nodes of one application do not all sweep at the same
                // instant.
                sleep(interval.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
                match sweep(&context, |_| {}).await {
                    Ok(0) => {}
                    Ok(count) => log::info!("{count} expired sessions were deleted"),
                    Err(error) => log::warn!(
                        "expired sessions were not deleted, next try in {interval:?}: {error}"
                    ),
                }
            }
        };
        tokio::select! {
            () = for_ever => {}
            () = shutdown => {}
        }
    });
}

/// Deletes all that has expired; how much, which `progress` is told after each batch.
pub(crate) async fn sweep(context: &Context, mut progress: impl FnMut(u64)) -> Result<u64, Error> {
    let batch = context.config.sweep_batch;
    let mut count = 0;
    loop {
        let now = context.now();
        let deleted = context
            .ask(&Waited::default(), move |store| store.sweep(now, batch))
            .await?;
        count += deleted;
        progress(count);
        if deleted < u64::from(batch) {
            return Ok(count);
        }
        sleep(PAUSE).await;
    }
}
