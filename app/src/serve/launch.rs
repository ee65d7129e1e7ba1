//! Launches a server that answers what it has begun before it stops.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rocket::error::ErrorKind;
use rocket::tokio::time::{sleep, timeout};
use rocket::{Build, Config, Orbit, Rocket};

/// Serves until a shutdown has ended.
///
/// Rocket 0.5.2 waits for the requests that are under way only if it hears of the shutdown before
/// its own listener does; otherwise it fails and would leave them unanswered (`server.rs`, the outer
/// `select!`).
pub fn launch(rocket: Rocket<Build>) -> ExitCode {
    // Rocket would panic.
    if let Err(error) = Config::try_from(rocket.figment()) {
        let error = error.to_string();
        let words: Vec<_> = error.split_whitespace().collect();
        rocket::error!("the configuration cannot be read: {}", words.join(" "));
        return ExitCode::FAILURE;
    }
    rocket::execute(async {
        let Err(error) = rocket.launch().await else {
            return ExitCode::SUCCESS;
        };
        if let ErrorKind::Shutdown(rocket, None) = error.kind()
            && all_answered(rocket).await
        {
            return ExitCode::SUCCESS;
        }
        error.pretty_print();
        ExitCode::FAILURE
    })
}

/// Whether every connection ends within the time that Rocket would have given them.
async fn all_answered(rocket: &Arc<Rocket<Orbit>>) -> bool {
    let shutdown = &rocket.config().shutdown;
    let time_left = Duration::from_secs((shutdown.grace + shutdown.mercy).into());
    let answered = async {
        while Arc::strong_count(rocket) > 1 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(time_left, answered).await.is_ok()
}
