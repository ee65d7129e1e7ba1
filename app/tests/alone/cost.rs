//! Measures the processor time of the most expensive anonymous requests, in a release build.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rocket::serde::json::json;
use testing::database;
use testing::server::{Server, free_port};
use testing::visitor::Visitor;

/// Attempts for a request over the limit, since other work may run at the same time.
const ATTEMPTS: u32 = 10;

struct Site {
    server: Server,
    cookie: String,
    token: String,
}

/// The name says the request's address and content.
#[derive(Clone)]
struct Input {
    name: String,
    request: Vec<u8>,
}

#[test]
#[ignore = "needs a release build: run ./test.sh"]
fn no_request_of_an_anonymous_client_has_a_cost_without_bound() {
    let database = database::sqlite();
    let site = Site::start(&database.url);
    let mut worst = Vec::new();
    // The hashing of one password, which the same machine does in the same minute: odd inputs
    // are no cheaper way to keep the server busy than a plain wrong password.
    let mut limit = 0.0;
    for path in ["/register", "/login", "/signup", "/signin"] {
        let plain = site.body(path, &values("first_name", "Ada"));
        let (hashed, hashing) = site.cost(&plain, f64::INFINITY);
        limit = hashing;
        for Input { name, request } in site.fields_to(path) {
            let (status, cost) = site.cost(&request, limit + hashing);
            let cost = if status == hashed {
                cost - hashing
            } else {
                cost
            };
            worst.push((cost, status, name));
        }
    }
    for Input { name, request } in [site.shapes(), site.headers(), site.paths()].concat() {
        let (status, cost) = site.cost(&request, limit);
        worst.push((cost, status, name));
    }
    worst.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
    eprintln!(
        "{} inputs; the limit is {limit} ms, the worst:",
        worst.len()
    );
    for (cost, status, name) in &worst[..20] {
        eprintln!("{cost:8.2}  {status}  {name}");
    }
    let (cost, _, name) = &worst[0];
    assert!(*cost <= limit, "{cost} of {limit} ms: {name}");
}

impl Site {
    fn start(url: &str) -> Self {
        let port = free_port();
        let mut command = Command::new(testing::provided("release", "TEST_RELEASE"));
        command
            .current_dir(testing::root())
            .env("ROCKET_LOG_LEVEL", "off")
            .env("ROCKET_PORT", port.to_string())
            .env("ROCKET_DATABASES", format!("{{app={{url={url:?}}}}}"))
            .env(
                "ROCKET_SESSION",
                r#"{cookie={secure=false},trusted_proxies=["127.0.0.1"],events="off"}"#,
            )
            .env("ROCKET_ACCOUNTS", "{attempts_per_address=10000}");
        let server = Server::start(&mut command, port);
        let visitor = Visitor::new(&server.base, Default::default());
        Self {
            server,
            token: visitor.csrf_token(),
            cookie: visitor.cookies(),
        }
    }

    /// Sends the request, and returns the status; 0 without a response.
    fn send(&self, request: &[u8]) -> u16 {
        let address = self.server.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let timeout = Some(Duration::from_secs(30));
        stream.set_read_timeout(timeout).unwrap();
        // A server that refuses the beginning may not read the end.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1);
        status.and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Returns status and cost of the request. Repeats it while the cost is over the limit.
    fn cost(&self, request: &[u8], limit: f64) -> (u16, f64) {
        let mut cost = (0, f64::INFINITY);
        for _ in 0..ATTEMPTS {
            let before = super::spent(self.server.id());
            let status = self.send(request);
            let spent = super::spent(self.server.id()) - before;
            if spent < cost.1 {
                cost = (status, spent);
            }
            if spent <= limit {
                break;
            }
        }
        cost
    }

    fn request(&self, start: &str, headers: &str, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let head = format!(
            "{start} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        );
        [head.as_bytes(), body].concat()
    }

    fn form(&self, path: &str, fields: &str) -> Vec<u8> {
        let headers = format!(
            "Cookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            self.cookie
        );
        let body = format!("_token={}&{fields}", self.token);
        self.request(&format!("POST {path}"), &headers, body.as_bytes())
    }

    fn json(&self, path: &str, body: &str) -> Vec<u8> {
        let headers = "Content-Type: application/json\r\n";
        self.request(&format!("POST /api/v1{path}"), headers, body.as_bytes())
    }

    /// Sends the fields as a form to a page, or as JSON to the API.
    fn body(&self, path: &str, values: &BTreeMap<&str, String>) -> Vec<u8> {
        if path.starts_with("/sign") {
            return self.json(path, &json!(values).to_string());
        }
        let encode = |value: &String| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
        let fields = values
            .iter()
            .map(|(field, value)| format!("{field}={}", encode(value)));
        self.form(path, &fields.collect::<Vec<_>>().join("&"))
    }

    /// Returns each field with each text, beside valid fields.
    fn fields_to(&self, path: &str) -> Vec<Input> {
        let mut inputs = Vec::new();
        for field in ["first_name", "last_name", "email", "password", "next"] {
            for size in [60, 250, 1_020, 10_000, 30_000, 1_000_000] {
                for (text, value) in texts(size) {
                    inputs.push(Input {
                        name: format!("{path}, {field} of {size} bytes: {text}"),
                        request: self.body(path, &values(field, &value)),
                    });
                }
            }
        }
        inputs
    }

    /// Returns bodies with an unusual structure.
    fn shapes(&self) -> Vec<Input> {
        let mut inputs = Vec::new();
        for size in [30_000, 1_000_000] {
            let of = |unit: &str| unit.repeat(size / unit.len());
            let forms = [
                ("many fields", of("a=1&")),
                ("one field again and again", of("email=a&")),
                ("nested names", format!("a{}=1", of("[b]"))),
                ("dots in names", format!("a{}=1", of(".b"))),
                ("many nested names", of("a.b[c].d=1&")),
                ("ampersands", of("&")),
                ("escapes", format!("email={}", of("%41"))),
                ("broken escapes", format!("email={}", of("%"))),
            ];
            for path in ["/register", "/login", "/logout", "/account/confirm"] {
                for (shape, fields) in &forms {
                    inputs.push(Input {
                        name: format!("{path}, {size} bytes: {shape}"),
                        request: self.form(path, fields),
                    });
                }
            }
            let texts = [
                ("arrays", of("[")),
                ("objects", of("{\"a\":")),
                ("many keys", format!("{{{}\"b\":1}}", of("\"a\":1,"))),
                (
                    "one key again and again",
                    format!("{{{}\"b\":1}}", of("\"email\":1,")),
                ),
                ("escapes", format!("{{\"email\":\"{}\"}}", of("\\u0041"))),
                ("a number", of("1")),
                ("blanks", of(" ")),
            ];
            for path in ["/signup", "/signin", "/signout", "/password"] {
                for (shape, text) in &texts {
                    inputs.push(Input {
                        name: format!("{path}, {size} bytes of JSON: {shape}"),
                        request: self.json(path, text),
                    });
                }
            }
            let part = "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na\r\n";
            for (shape, body) in [("parts", of(part)), ("delimiters", of("--b\r\n"))] {
                let headers = format!(
                    "Cookie: {}\r\nX-CSRF-Token: {}\r\n\
                     Content-Type: multipart/form-data; boundary=b\r\n",
                    self.cookie, self.token
                );
                inputs.push(Input {
                    name: format!("/register, {size} bytes in parts: {shape}"),
                    request: self.request("POST /register", &headers, body.as_bytes()),
                });
            }
        }
        inputs
    }

    fn headers(&self) -> Vec<Input> {
        let mut inputs = Vec::new();
        for size in [8_000, 100_000, 300_000] {
            let of = |unit: &str| unit.repeat(size / unit.len());
            let headers = [
                ("Cookie", of("a=1; ")),
                ("Cookie", of("id=1; ")),
                ("Cookie", of("form=1; ")),
                ("Cookie", of("%69d=%31; ")),
                ("Cookie", of(";")),
                ("Cookie", format!("id={}", of("a"))),
                ("Accept", of("text/html;q=0.5,")),
                ("Accept", format!("text/html{}", of(";a=b"))),
                ("Accept", of("*/*,")),
                ("Accept-Language", of("en;q=0.5,")),
                ("Accept-Encoding", of("gzip,")),
                ("Content-Type", format!("text/html{}", of(";a=b"))),
                ("X-Forwarded-For", of("192.0.2.1,")),
                ("X-Forwarded-For", of("127.0.0.1,")),
                ("X-Forwarded-For", of(",")),
                ("X-Real-IP", of("1")),
                ("Forwarded", of("for=192.0.2.1;host=a,")),
                ("Origin", of("https://a.")),
                ("Referer", of("https://a/?")),
                ("User-Agent", of("Mozilla/5.0 ")),
                ("User-Agent", of("(((")),
                ("Host", of("a.")),
                ("Upgrade", of("websocket,")),
                ("Connection", of("keep-alive,")),
                ("Sec-Fetch-Site", of("same-origin,")),
                ("X-CSRF-Token", of("a")),
                ("If-None-Match", of("\"a\",")),
                ("Range", format!("bytes={}", of("0-1,"))),
                ("Authorization", of("Basic YTph,")),
            ];
            for (header, value) in headers {
                for start in ["GET /", "GET /home", "GET /static/style.css", "POST /login"] {
                    let line = format!("{header}: {value}\r\n");
                    inputs.push(Input {
                        name: format!("{start}, {header} of {size} bytes: {value:.20}"),
                        request: self.request(start, &line, b""),
                    });
                }
            }
        }
        for start in ["GET /", "GET /home", "POST /login"] {
            for line in [
                "Cookie: id=a\r\n",
                "X-Forwarded-For: 192.0.2.1\r\n",
                "A: b\r\n",
            ] {
                inputs.push(Input {
                    name: format!("{start}, 90 times {line:?}"),
                    request: self.request(start, &line.repeat(90), b""),
                });
            }
        }
        inputs
    }

    fn paths(&self) -> Vec<Input> {
        let mut inputs = Vec::new();
        for size in [8_000, 60_000] {
            let of = |unit: &str| unit.repeat(size / unit.len());
            for path in [
                of("/"),
                of("/a"),
                of("/.."),
                of("/%2e%2e"),
                of("/%"),
                format!("/static{}", of("/a")),
                format!("/static/{}", of("%2e%2e%2f")),
                format!("/login?next={}", of("%2F")),
                format!("/login?next=/{}", of("a")),
                format!("/login?{}", of("next=a&")),
                format!("/login?{}", of("a=b&")),
                format!("/home?{}", of("a.b[c]=d&")),
                format!("/account/confirm?next={}", of("/a")),
                format!("/api/v1/devices/{}", of("a")),
                format!("/account/devices/{}/end", of("a")),
            ] {
                for method in ["GET", "POST", "DELETE"] {
                    inputs.push(Input {
                        name: format!("{method} {path:.30} of {size} bytes"),
                        request: self.request(&format!("{method} {path}"), "", b""),
                    });
                }
            }
        }
        inputs
    }
}

/// Returns texts of about this size that are expensive to fold, split, compare or decode.
fn texts(bytes: usize) -> [(&'static str, String); 10] {
    let of = |unit: &str| unit.repeat(bytes / unit.len());
    [
        ("one letter", of("a")),
        ("single letters", of("a b c d e ")),
        ("blanks", of(" ")),
        ("combining marks", of("e\u{301}")),
        ("ligatures", of("\u{fdfa}")),
        ("capitals that grow", of("İ")),
        ("signs", of("@.")),
        ("labels", format!("a@{}", of("b."))),
        ("an alphabet", of("abcdefghijklmnop")),
        ("joiners", of("a\u{200d}")),
    ]
}

/// Returns the fields of a new account, one of them with this text.
fn values<'a>(field: &'a str, text: &str) -> BTreeMap<&'a str, String> {
    let number = fastrand::u64(..);
    let mut values = BTreeMap::from([
        ("first_name", "Ada".to_owned()),
        ("last_name", "Lovelace".to_owned()),
        ("email", format!("a{number}@example.org")),
        ("password", format!("correct horse {number}")),
    ]);
    values.insert(field, text.to_owned());
    values
}
