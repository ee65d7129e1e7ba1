//! Restarts two processes in turn behind a proxy, under load: each request gets a complete answer.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use testing::application::Application;
use testing::{database, secrets};

use crate::client::{Encrypted, ask, request};
use crate::site::{Kind, Site};

behind_both!(restarts_in_turn_cut_off_no_request);

/// As many as the variable says, with the times of the shipped files; otherwise a few, with shorter times.
const RESTARTS: &str = "TEST_RESTARTS";
const FEW: usize = 3;

/// The answers to the requests of all clients.
#[derive(Debug, Default)]
struct Seen {
    ended: AtomicBool,
    gets: AtomicU32,
    posts: AtomicU32,
    /// Kept connections that ended before a request got an answer. Browsers send it again on another.
    ended_between: AtomicU32,
    wrong: Mutex<Vec<String>>,
}

/// One client, with its connection if it keeps it.
struct Load<'s> {
    site: &'s Site,
    seen: &'s Seen,
    keeps: bool,
    connection: Option<Encrypted>,
}

impl<'s> Load<'s> {
    fn new(site: &'s Site, seen: &'s Seen, keeps: bool) -> Self {
        Self {
            site,
            seen,
            keeps,
            connection: None,
        }
    }

    /// Sends a request that has to be answered with this status, and returns the body.
    fn send(&mut self, request: &str, status: u16) -> String {
        let kept = self.connection.take();
        let is_kept = kept.is_some();
        let mut stream = kept.unwrap_or_else(|| self.site.connect());
        let answer = ask(&mut stream, request);
        let wrong = match answer {
            Some(answer) if answer.status == status => {
                let is_post = request.starts_with("POST");
                let count = if is_post {
                    &self.seen.posts
                } else {
                    &self.seen.gets
                };
                count.fetch_add(1, Ordering::Relaxed);
                if self.keeps && answer.header("Connection") != Some("close") {
                    self.connection = Some(stream);
                }
                return answer.body;
            }
            Some(answer) => format!("{}: {}", answer.status, answer.body),
            None if is_kept => {
                self.seen.ended_between.fetch_add(1, Ordering::Relaxed);
                return self.send(request, status);
            }
            None => "no complete answer".to_owned(),
        };
        let (line, _) = request.split_once('\r').unwrap();
        self.seen
            .wrong
            .lock()
            .unwrap()
            .push(format!("{line}: {wrong}"));
        String::new()
    }

    fn read_pages(mut self, cookie: &str) {
        let cookie = format!("Cookie: {cookie}");
        while !self.seen.ended.load(Ordering::SeqCst) {
            self.send(&request("GET", "/home", &[&cookie], ""), 200);
            self.send(&request("GET", "/health/live", &[], ""), 200);
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends a form that changes the user and the session, and shows the message of that.
    fn send_forms(mut self, cookie: &str) {
        let cookie = format!("Cookie: {cookie}");
        let headers = [cookie.as_str(), "Origin: https://example.org"];
        let page = request("GET", "/account", &headers[..1], "");
        let mut body = self.send(&page, 200);
        while !self.seen.ended.load(Ordering::SeqCst) {
            let token = secrets::csrf_tokens(&body).next().unwrap_or_default();
            let form = format!("_method=put&_token={token}&location=London");
            self.send(&request("POST", "/account/location", &headers, &form), 303);
            body = self.send(&page, 200);
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn restarts_in_turn_cut_off_no_request(kind: Kind) {
    let in_full = env::var(RESTARTS).ok().map(|count| count.parse().unwrap());
    let database = database::sqlite();
    let wait = if in_full.is_some() { 5 } else { 1 };
    let health = format!("{{shutdown_wait={wait}}}");
    let variables = [
        ("ROCKET_PROFILE", "prod"),
        ("ROCKET_LOG_LEVEL", "normal"),
        ("ROCKET_HEALTH", health.as_str()),
        (
            "ROCKET_SESSION",
            r#"{trusted_proxies=["127.0.0.0/8"],events="off"}"#,
        ),
    ];
    let mut processes = [(); 2].map(|()| Application::start_with(&database, &variables));
    let ports = processes.each_ref().map(|process| process.port());
    let site = site(kind, ports, in_full.is_none());
    let users = ["ada@example.org", "grace@example.org"].map(|email| site.register_as(email));
    let seen = Seen::default();
    thread::scope(|scope| {
        for keeps in [true, false] {
            for user in &users {
                let load = Load::new(&site, &seen, keeps);
                scope.spawn(|| load.read_pages(user));
            }
        }
        for user in &users {
            scope.spawn(|| Load::new(&site, &seen, false).send_forms(user));
        }
        let restarts = in_full.unwrap_or(FEW);
        for (process, port) in (0..restarts).map(|number| (number % 2, ports[number % 2])) {
            restart(kind, &site, &mut processes[process], port);
        }
        seen.ended.store(true, Ordering::SeqCst);
    });
    // HAProxy's checks would fill the output on and on.
    drop(site);
    eprintln!("{kind:?}: {seen:?}");
    let wrong = seen.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
    let put = |process: &Application| process.output().matches("Matched: (move_to)").count();
    let put: usize = processes.iter().map(put).sum();
    let posts = seen.posts.load(Ordering::SeqCst);
    assert!(posts > 0);
    assert_eq!(
        put, posts as usize,
        "each form reached one process, and once"
    );
}

/// A proxy in front of both processes.
fn site(kind: Kind, [one, two]: [u16; 2], is_short: bool) -> Site {
    let lines = match kind {
        Kind::Nginx => vec![format!("        server 127.0.0.1:{one};\n")],
        Kind::Haproxy => vec![
            format!("    server one 127.0.0.1:{one} check\n"),
            format!("    server one_not_ready 127.0.0.1:{one} backup\n"),
        ],
    };
    let second = |line: &String| {
        let other = line.replace(&one.to_string(), &two.to_string());
        line.clone() + &other.replace("server one", "server two")
    };
    let both: Vec<_> = lines.iter().map(second).collect();
    let mut changes: Vec<_> = lines
        .iter()
        .zip(&both)
        .map(|(one, both)| (&**one, &**both))
        .collect();
    if kind == Kind::Haproxy && is_short {
        changes.push(("inter 1s", "inter 200ms"));
    }
    Site::changed(kind, one, &changes)
}

/// Restarts a process as deploy/README.md says.
fn restart(kind: Kind, site: &Site, process: &mut Application, port: u16) {
    let (up, down) = (
        format!("server 127.0.0.1:{port};"),
        format!("server 127.0.0.1:{port} down;"),
    );
    if kind == Kind::Nginx {
        site.reload_nginx(&up, &down);
    }
    process.begin_stop();
    assert!(process.wait().success());
    process.restart();
    if kind == Kind::Nginx {
        site.reload_nginx(&down, &up);
    }
}
