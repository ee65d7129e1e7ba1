//! The fixture `events` as a process, and the events that it has emitted.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rocket::serde::json::{Value, from_str};
use tempfile::NamedTempFile;

use testing::secrets;
use testing::server::{Server, example, free_port, wait_until};

pub struct Site {
    pub server: Server,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
    /// Whether events are written anywhere.
    tells: bool,
}

impl Site {
    /// With its sessions in memory, and these settings of `[default.session]`.
    pub fn with(settings: &str) -> Self {
        Self::on("memory:", settings, "off")
    }

    pub fn on(url: &str, settings: &str, level: &str) -> Self {
        let [stdout, stderr] = [(); 2].map(|()| secrets::temporary().tempfile().unwrap());
        let session =
            format!("{{events=\"stdout\",migrate=false,cookie={{secure=false}}{settings}}}");
        let port = free_port();
        let mut command = example("events");
        command
            .env("ROCKET_PORT", port.to_string())
            .env("ROCKET_LOG_LEVEL", level)
            .env("ROCKET_CLI_COLORS", "false")
            .env("ROCKET_DATABASES", format!("{{app={{url={url:?}}}}}"))
            .env("ROCKET_SESSION", session)
            .stdout(stdout.reopen().unwrap())
            .stderr(stderr.reopen().unwrap());
        Self {
            server: Server::start(&mut command, port),
            stdout,
            stderr,
            tells: !settings.contains(r#"events="off""#),
        }
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser {
            site: self,
            client: Client::new(),
            headers: HeaderMap::new(),
            cookie: None,
        }
    }

    /// All that was printed on stdout.
    pub fn printed(&self) -> String {
        self.settle();
        let printed = fs::read_to_string(self.stdout.path()).unwrap();
        let lines = printed.split_inclusive('\n');
        lines
            .filter(|line| !line.contains(r#""event":"mark""#))
            .collect()
    }

    /// Waits until all events are written, which a thread does.
    fn settle(&self) {
        static MARKS: AtomicU32 = AtomicU32::new(0);
        let number = MARKS.fetch_add(1, Ordering::Relaxed);
        let url = format!("{}/mark/{number}", self.server.base);
        if Client::new().post(url).send().is_err() {
            return; // It has ended, and written all of them.
        }
        let mark = format!(r#""event":"mark","level":"warn","number":{number}}}"#);
        let files = [&self.stdout, &self.stderr];
        wait_until("all events are written", Duration::from_secs(10), || {
            let mut texts = files
                .iter()
                .map(|file| fs::read_to_string(file.path()).unwrap());
            !self.tells || texts.any(|text| text.contains(&mark))
        });
    }

    pub fn printed_on_stderr(&self) -> String {
        self.settle();
        fs::read_to_string(self.stderr.path()).unwrap()
    }

    /// The events, where nothing else is printed.
    pub fn emitted(&self) -> Vec<Value> {
        let printed = self.printed();
        assert!(printed.ends_with('\n'), "the last line is whole: {printed}");
        let read = |line: &str| from_str(line).unwrap_or_else(|_| panic!("no JSON: {line:?}"));
        printed.lines().map(read).collect()
    }

    /// The events that `action` causes.
    pub fn emitted_by(&self, action: impl FnOnce()) -> Vec<Value> {
        let before = self.emitted().len();
        action();
        self.emitted().split_off(before)
    }
}

/// The names of some events.
pub fn names(emitted: &[Value]) -> Vec<&str> {
    emitted
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect()
}

/// Somebody with one cookie at most.
pub struct Browser<'a> {
    site: &'a Site,
    client: Client,
    headers: HeaderMap,
    pub cookie: Option<String>,
}

impl Browser<'_> {
    /// With this header in each request from now on, as often as it is added.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    pub fn get(&mut self, path: &str) -> (u16, String) {
        self.send(Method::GET, path)
    }

    pub fn post(&mut self, path: &str) -> u16 {
        self.send(Method::POST, path).0
    }

    pub fn delete(&mut self, path: &str) -> (u16, String) {
        self.send(Method::DELETE, path)
    }

    fn send(&mut self, method: Method, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.site.server.base);
        let mut request = self.client.request(method, url);
        request = request.headers(self.headers.clone());
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        let answer = request.send().unwrap();
        if let Some(set) = answer.headers().get("Set-Cookie") {
            let set = set.to_str().unwrap();
            secrets::note_cookie(set);
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = (!set.contains("Max-Age=0")).then_some(pair);
        }
        (answer.status().as_u16(), answer.text().unwrap())
    }
}
