//! Stops the application while clients use it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testing::accounts::{EMAIL, cookie, register};
use testing::application::Application;
use testing::database;
use testing::server::wait_until;
use testing::streams::PageStream;
#[cfg(feature = "test_servers")]
use testing::switch::Switch;

const STOPS: usize = 20;
const CLIENTS: usize = 32;

const QUIET: [(&str, &str); 2] = [
    ("ROCKET_LOG_LEVEL", "off"),
    ("ROCKET_SESSION", r#"{events="off"}"#),
];

/// The results of a client's requests.
#[derive(Debug, Default)]
struct Seen {
    answered: AtomicU32,
    put_off: AtomicU32,
    cut_off: AtomicU32,
}

/// Sends requests until nothing listens, on one connection as long as it is kept.
fn ask(address: &str, cookie: &str, seen: &Seen) {
    let request = format!("GET /api/v1/me HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n");
    while let Ok(mut stream) = TcpStream::connect(address) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        loop {
            let sent = stream.write_all(request.as_bytes()).ok();
            let answer = sent.and_then(|()| read(&mut reader));
            let count = match answer {
                Some((200, _)) => &seen.answered,
                Some((503, _)) => &seen.put_off,
                Some((status, _)) => panic!("{status}"),
                None => &seen.cut_off,
            };
            count.fetch_add(1, Ordering::SeqCst);
            if !matches!(answer, Some((_, true))) {
                break;
            }
        }
    }
}

/// Returns the status of a complete response, and whether the connection is kept.
fn read(reader: &mut impl BufRead) -> Option<(u16, bool)> {
    let lines = super::head(reader)?;
    let header = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name));
    let status = header("http/1.1 ")?.split(' ').next()?.parse().ok()?;
    let mut body = vec![0; header("content-length: ")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((status, header("connection: ") != Some("close")))
}

/// Stops the application while clients use it. `before` runs immediately before.
fn stop_under_load(application: &mut Application, cookie: &str, before: impl FnOnce()) -> Seen {
    let seen = Seen::default();
    let address = application.base.strip_prefix("http://").unwrap().to_owned();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| ask(&address, cookie, &seen));
        }
        while seen.answered.load(Ordering::SeqCst) < 10 * CLIENTS as u32 {
            thread::sleep(Duration::from_millis(5));
        }
        before();
        assert!(application.stop().success());
    });
    seen
}

fn assert_whole(seen: &[Seen]) {
    let cut = seen.iter().map(|it| it.cut_off.load(Ordering::SeqCst));
    assert_eq!(cut.sum::<u32>(), 0, "{seen:?}");
}

#[test]
fn a_stop_under_load_cuts_off_no_request() {
    let database = database::sqlite();
    let mut application = Application::start_with(&database, &QUIET);
    let cookie = cookie(&register(&application.visitor(), EMAIL, &[]));
    let mut seen = Vec::new();
    for _ in 0..STOPS {
        seen.push(stop_under_load(&mut application, &cookie, || ()));
        application.restart();
    }
    assert_whole(&seen);
}

#[test]
fn a_stop_does_not_wait_for_open_pages() {
    let database = database::sqlite();
    let patient = ("ROCKET_SHUTDOWN", "{grace=60}");
    let mut application = Application::start_with(&database, &[QUIET[0], QUIET[1], patient]);
    let cookie = cookie(&register(&application.visitor(), EMAIL, &[]));
    let open = || PageStream::open(&application.base, &cookie);
    let streams: Vec<_> = std::iter::repeat_with(open).take(CLIENTS).collect();
    let begin = Instant::now();
    assert!(application.stop().success());
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    for stream in streams {
        let rest = stream.rest();
        assert!(!rest.contains("event:"), "{rest}");
    }
}

#[test]
fn a_stop_is_announced_before_connections_are_refused() {
    let database = database::sqlite();
    let wait = ("ROCKET_HEALTH", "{shutdown_wait=3}");
    let mut application = Application::start_with(&database, &[QUIET[0], QUIET[1], wait]);
    let user = application.visitor();
    register(&user, EMAIL, &[]);
    let address = application.base.strip_prefix("http://").unwrap().to_owned();
    let begin = Instant::now();
    application.begin_stop();
    let visitor = || application.visitor();
    wait_until("not ready", Duration::from_secs(3), || {
        let answer = visitor().get("/health/ready");
        answer.status == 503 && answer.body.contains("shutting down")
    });
    // New connections and the open one are served as before.
    assert_eq!(visitor().get("/health/live").status, 200);
    for _ in 0..2 {
        let home = user.get("/home");
        assert_eq!((home.status, home.header("Connection")), (200, None));
    }
    wait_until("connections are refused", Duration::from_secs(20), || {
        TcpStream::connect(&address).is_err()
    });
    assert!(begin.elapsed() >= Duration::from_secs(3));
    assert!(application.wait().success());
}

#[test]
fn a_second_signal_stops_at_once() {
    let database = database::sqlite();
    let wait = ("ROCKET_HEALTH", "{shutdown_wait=300}");
    let mut application = Application::start_with(&database, &[QUIET[0], QUIET[1], wait]);
    application.begin_stop();
    wait_until("not ready", Duration::from_secs(20), || {
        application.visitor().get("/health/ready").status == 503
    });
    assert!(application.stop().success());
}

#[cfg(feature = "test_servers")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_stop_while_the_database_hangs_cuts_off_no_request() {
    let _alone = super::alone();
    let database = database::mariadb();
    let mut url = url::Url::parse(&database.url).unwrap();
    let switch = Switch::to(url.port().unwrap());
    url.set_port(Some(switch.port)).unwrap();
    let mut application = Application::start_at(url.as_str(), &QUIET);
    let cookie = cookie(&register(&application.visitor(), EMAIL, &[]));
    let mut seen = Vec::new();
    for _ in 0..STOPS {
        let stopped = stop_under_load(&mut application, &cookie, || {
            switch.hang(true);
            // Wait until each client has a pending request.
            thread::sleep(Duration::from_millis(200));
        });
        seen.push(stopped);
        switch.hang(false);
        application.restart();
    }
    assert_whole(&seen);
    let put_off = |seen: &Seen| seen.put_off.load(Ordering::SeqCst) > 0;
    assert!(seen.iter().all(put_off), "{seen:?}");
}
