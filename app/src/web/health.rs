//! Tells load balancers and supervisors whether the process serves, and whether it is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::{State, get, routes};
use rocket_diesel_session::LiveSessions;

use crate::settings::health::HealthSettings;
use crate::web::problem::Problem;

/// Mounts the routes. Aborts the launch with one line if a setting is wrong.
pub(crate) fn stage() -> AdHoc {
    AdHoc::try_on_ignite("Health", |rocket| async {
        match HealthSettings::read(rocket.figment()) {
            Ok(settings) => Ok(rocket
                .manage(settings)
                .manage(Leaving::default())
                .mount("/health", routes![live, ready])),
            Err(line) => {
                rocket::error!("{line}");
                Err(rocket)
            }
        }
    })
}

/// Says whether the server is about to refuse connections. A clone shares it.
#[derive(Clone, Default)]
pub(crate) struct Leaving(Arc<AtomicBool>);

impl Leaving {
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Answers as long as the process serves, whatever the database does: a restart would not help.
#[get("/live")]
fn live() -> &'static str {
    "live\n"
}

/// Answers 503 to a load balancer that should send requests to other processes.
#[get("/ready")]
async fn ready(
    live: LiveSessions,
    settings: &State<HealthSettings>,
    leaving: &State<Leaving>,
) -> Result<&'static str, Problem> {
    let problem = |detail: &str| Problem::new(Status::ServiceUnavailable, detail);
    if leaving.0.load(Ordering::SeqCst) {
        return Err(problem("This process is shutting down."));
    }
    let seconds = settings.ready_within;
    let answered = live.ready(Duration::from_secs(seconds.into())).await;
    answered.map(|()| "ready\n").map_err(|_| {
        problem(&format!(
            "The database has not answered for {seconds} seconds."
        ))
    })
}
