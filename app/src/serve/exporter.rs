//! Serves the metrics to Prometheus at an address and on a thread of its own, so that no reader holds up a request.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener as Listener};
use std::thread;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::runtime::{Builder, Runtime};
use rocket::tokio::select;
use rocket::tokio::task::AbortHandle;
use rocket::tokio::time::{interval, sleep, timeout};

use crate::{metrics, settings};

/// The most connections; another one closes the oldest.
const CONNECTIONS: usize = 64;

/// The time for one request and its answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest head of a request.
const HEAD: usize = 8 * 1024;

/// How often measured values are sorted into buckets, even if nobody reads the metrics.
const UPKEEP: Duration = Duration::from_secs(5);

const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0];

/// Installs the recorder and serves it, if the settings have an address. Otherwise nothing is counted.
pub(super) fn stage() -> AdHoc {
    AdHoc::try_on_ignite("Metrics", |rocket| async {
        match start(rocket.figment()) {
            Ok(()) => Ok(rocket),
            Err(line) => {
                rocket::error!("{line}");
                Err(rocket)
            }
        }
    })
}

fn start(figment: &Figment) -> Result<(), String> {
    let Some(address) = settings::metrics::address(figment)? else {
        return Ok(());
    };
    let listener = bind(address).map_err(|error| {
        format!(
            "metrics.address is \"{address}\", which cannot be bound: {error}; choose an address of this \
             machine and a free port"
        )
    })?;
    let unusable = |error: String| format!("the metrics cannot be served: {error}");
    let metrics = recorder().map_err(unusable)?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| unusable(error.to_string()))?;
    metrics::register();
    let thread = thread::Builder::new().name("metrics".to_owned());
    let spawned = thread.spawn(move || serve(&runtime, listener, &metrics));
    spawned.map_err(|error| unusable(error.to_string()))?;
    rocket::info!("metrics at http://{address}/metrics");
    Ok(())
}

fn bind(address: SocketAddr) -> io::Result<Listener> {
    let listener = Listener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn recorder() -> Result<PrometheusHandle, String> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let sizes = Matcher::Suffix("_size".to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(sizes, SIZES))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| error.to_string())
}

fn serve(runtime: &Runtime, listener: Listener, metrics: &PrometheusHandle) {
    runtime.block_on(async {
        match TcpListener::from_std(listener) {
            Ok(listener) => accept(&listener, metrics).await,
            Err(error) => rocket::error!("the metrics cannot be served: {error}"),
        }
    });
}

async fn accept(listener: &TcpListener, metrics: &PrometheusHandle) {
    let mut upkeep = interval(UPKEEP);
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        select! {
            _ = upkeep.tick() => metrics.run_upkeep(),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    open.retain(|connection| !connection.is_finished());
                    if open.len() >= CONNECTIONS && let Some(oldest) = open.pop_front() {
                        oldest.abort();
                    }
                    let answer = timeout(TIMEOUT, answer(stream, metrics.clone()));
                    open.push_back(rocket::tokio::spawn(answer).abort_handle());
                }
                // No descriptor is free.
                Err(_) => sleep(Duration::from_millis(100)).await,
            },
        }
    }
}

/// Answers one request, and closes the connection.
async fn answer(mut stream: TcpStream, metrics: PrometheusHandle) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let read = stream.read_buf(&mut head).await?;
        if read == 0 || head.len() > HEAD {
            return Ok(());
        }
    }
    let (status, body) = match asks_for_metrics(&head) {
        true => ("200 OK", metrics.render()),
        false => (
            "404 Not Found",
            "The metrics are at GET /metrics.\n".to_owned(),
        ),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Returns whether the request is `GET /metrics`, with a query or without one.
fn asks_for_metrics(head: &[u8]) -> bool {
    let rest = head.strip_prefix(b"GET /metrics");
    rest.is_some_and(|rest| rest.starts_with(b" ") || rest.starts_with(b"?"))
}
