//! Stops the server without cutting off a request.
//!
//! On SIGTERM or SIGINT it is no longer ready, and serves on for a while until load balancers have noticed. Then it
//! refuses new connections, ends the streams of open pages, answers the requests on
//! open connections, closes each with its answer, and then shuts Rocket down. Rocket itself would close connections whose next
//! request is on its way.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rocket::config::{Shutdown as Config, Sig};
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::figment::providers::Serialized;
use rocket::tokio::select;
use rocket::tokio::signal::unix::{Signal, SignalKind, signal};
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::{sleep, timeout};
use rocket::{Build, Data, Orbit, Request, Response, Rocket, Shutdown};

use crate::serve::listener;
use crate::settings::health::HealthSettings;
use crate::web::health::Leaving;
use crate::web::session_end::OpenPages;

/// The longest silence on open connections before the shutdown.
const SILENCE: Duration = Duration::from_secs(1);

/// The requests in progress.
struct OpenRequests {
    stops: AtomicBool,
    under_way: AtomicUsize,
    /// When the last request was answered.
    answered_at: Mutex<Instant>,
}

/// Counts a request until it is answered.
struct RequestGuard(Arc<OpenRequests>);

impl RequestGuard {
    fn begin(requests: &Arc<OpenRequests>) -> Self {
        requests.under_way.fetch_add(1, Ordering::SeqCst);
        Self(requests.clone())
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        *self.0.answered() = Instant::now();
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl OpenRequests {
    fn new() -> Self {
        Self {
            stops: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
            answered_at: Mutex::new(Instant::now()),
        }
    }

    fn answered(&self) -> MutexGuard<'_, Instant> {
        self.answered_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses new connections, and waits until the open ones are closed or silent.
    async fn drain(&self, port: u16, pages: &OpenPages) {
        rocket::warn!(
            "shutting down: the server accepts no new connections, which Rocket logs as accept errors"
        );
        let _ = spawn_blocking(move || listener::close(port)).await;
        self.stops.store(true, Ordering::SeqCst);
        pages.disconnect();
        *self.answered() = Instant::now();
        loop {
            let waits = self.under_way.load(Ordering::SeqCst) > 0;
            let silent = !waits && self.answered().elapsed() > SILENCE;
            let open = spawn_blocking(move || listener::connections(port)).await;
            if silent || matches!(open, Ok(Ok(0))) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What the end of the server works with.
struct End {
    requests: Arc<OpenRequests>,
    pages: OpenPages,
    leaving: Leaving,
    /// The time between the signal and the drain.
    wait: Duration,
    /// The longest time of the drain.
    limit: Duration,
    port: u16,
}

impl End {
    fn of(rocket: &Rocket<Orbit>) -> Option<Self> {
        let (config, health) = (rocket.config(), rocket.state::<HealthSettings>()?);
        Some(Self {
            requests: rocket.state::<Arc<OpenRequests>>()?.clone(),
            pages: rocket.state::<OpenPages>()?.clone(),
            leaving: rocket.state::<Leaving>()?.clone(),
            wait: Duration::from_secs(health.shutdown_wait.into()),
            limit: Duration::from_secs(config.shutdown.grace.into()),
            port: config.port,
        })
    }

    /// Waits for a signal, drains, and shuts down; a second signal shuts down at once.
    async fn follow(self, mut signals: Signals, shutdown: Shutdown) {
        signals.next().await;
        select! {
            () = self.leave() => {}
            () = signals.next() => {}
        }
        shutdown.notify();
    }

    async fn leave(&self) {
        self.leaving.begin();
        if !self.wait.is_zero() {
            rocket::warn!(
                "shutting down: not ready any more, and serving for another {} s until load balancers \
                 have noticed",
                self.wait.as_secs()
            );
            sleep(self.wait).await;
        }
        let _ = timeout(self.limit, self.requests.drain(self.port, &self.pages)).await;
    }
}

struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// A fairing that drains the server before Rocket shuts down.
pub(crate) struct Drain;

#[rocket::async_trait]
impl Fairing for Drain {
    fn info(&self) -> Info {
        Info {
            name: "Drain",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Request | Kind::Response,
        }
    }

    /// Takes the two signals from Rocket.
    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let figment = rocket.figment().clone();
        let mut config: Config = figment.extract_inner("shutdown").unwrap_or_default();
        config.signals.remove(&Sig::Term);
        let figment = figment
            .merge(Serialized::global("shutdown.ctrlc", false))
            .merge(Serialized::global("shutdown.signals", config.signals));
        Ok(rocket
            .configure(figment)
            .manage(Arc::new(OpenRequests::new())))
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Some(end) = End::of(rocket) else {
            return;
        };
        match Signals::new() {
            Ok(signals) => {
                rocket::tokio::spawn(end.follow(signals, rocket.shutdown()));
            }
            Err(error) => rocket::error!(
                "no signal can be received, so SIGTERM and SIGINT stop the server at once: {error}"
            ),
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        if let Some(requests) = request.rocket().state::<Arc<OpenRequests>>() {
            request.local_cache(|| RequestGuard::begin(requests));
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let requests = request.rocket().state::<Arc<OpenRequests>>();
        if requests.is_some_and(|requests| requests.stops.load(Ordering::SeqCst)) {
            response.set_raw_header("Connection", "close");
        }
    }
}
