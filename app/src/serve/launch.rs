//! Launches Rocket, and answers all requests in progress before it stops.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rocket::error::ErrorKind;
use rocket::tokio::time::{sleep, timeout};
use rocket::{Build, Config, Orbit, Rocket};

/// Serves until the shutdown has ended.
///
/// Rocket 0.5.2 leaves requests unanswered if its listener notices the shutdown first (`server.rs`,
/// the outer `select!`). This function then waits for them.
pub fn launch(rocket: Rocket<Build>) -> ExitCode {
    let config = match Config::try_from(rocket.figment()) {
        Ok(config) => config,
        // Rocket would panic on this error.
        Err(error) => {
            let error = error.to_string();
            let words: Vec<_> = error.split_whitespace().collect();
            rocket::error!("the configuration cannot be read: {}", words.join(" "));
            return ExitCode::FAILURE;
        }
    };
    rocket::execute(async {
        let Err(error) = rocket.launch().await else {
            return ExitCode::SUCCESS;
        };
        if let ErrorKind::Shutdown(rocket, None) = error.kind()
            && all_answered(rocket).await
        {
            return ExitCode::SUCCESS;
        }
        match error.kind() {
            // Rocket prints the cause at a level that a release build does not log.
            ErrorKind::Bind(cause) => rocket::error!(
                "cannot listen on {} port {}: {cause}; stop the program that uses it, or set another address or port",
                config.address,
                config.port
            ),
            _ => {
                error.pretty_print();
            }
        }
        ExitCode::FAILURE
    })
}

/// Returns whether every connection ends within Rocket's grace and mercy periods.
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
