//! Cookies over plain http, for clients on the same machine.

use std::fs;

use reqwest::blocking::Client;
use tempfile::NamedTempFile;
use testing::server::{Server, example, free_port};

struct Site {
    server: Server,
    port: u16,
    output: NamedTempFile,
}

impl Site {
    /// The example `busy` in memory.
    fn new(variables: &[(&str, &str)]) -> Self {
        let output = NamedTempFile::new().unwrap();
        let port = free_port();
        let mut command = example("busy");
        command
            .env("ROCKET_DATABASES", "{app={url=\"memory:\"}}")
            .env("ROCKET_SESSION", "{events=\"off\"}")
            .env("ROCKET_CLI_COLORS", "false")
            .env("ROCKET_LOG_LEVEL", "critical")
            .env("ROCKET_PORT", port.to_string())
            .envs(variables.iter().copied())
            .stdout(output.reopen().unwrap());
        let server = Server::start(&mut command, port);
        Self {
            server,
            port,
            output,
        }
    }

    /// The cookie that a client gets that has asked for this host.
    fn cookie(&self, host: &str) -> String {
        self.visit(host, None).0.unwrap()
    }

    fn visit(&self, host: &str, cookie: Option<&str>) -> (Option<String>, String) {
        let request = Client::new().post(format!("{}/visits", self.server.base));
        let request = cookie
            .into_iter()
            .fold(request, |request, cookie| request.header("Cookie", cookie));
        let answer = request.header("Host", host).send().unwrap();
        assert_eq!(answer.status(), 200, "{host}");
        let cookie = answer.headers().get("Set-Cookie");
        let cookie = cookie.map(|cookie| cookie.to_str().unwrap().to_owned());
        (cookie, answer.text().unwrap())
    }

    fn warnings(&self) -> Vec<String> {
        let printed = fs::read_to_string(self.output.path()).unwrap();
        let line = "the session's cookie is Secure";
        let lines = printed.lines().filter(|it| it.contains(line));
        lines.map(str::to_owned).collect()
    }
}

const SECURE: &str = "; Secure;";

/// Where the cookie is plain on this machine.
const ELSEWHERE: &str = "is Secure except at http://localhost, http://127.0.0.1 and http://[::1]: \
                         no browser sends it back to other http:// addresses;";

const OVER_HTTP: &str = "is Secure: over http, Chrome and curl send it back to localhost, 127.0.0.1 \
                         and [::1] alone, and Safari and Python's requests to no address;";

#[test]
fn a_debug_build_counts_the_visits_of_every_client_on_this_machine() {
    for (address, profile, warnings) in [
        ("127.0.0.1", "debug", 0),
        ("127.0.0.1", "dev", 0),
        ("0.0.0.0", "debug", 1),
        ("::", "debug", 1),
    ] {
        let variables = [("ROCKET_ADDRESS", address), ("ROCKET_PROFILE", profile)];
        let site = Site::new(&variables);
        for host in ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"] {
            let host = format!("{host}:{}", site.port);
            let cookie = site.cookie(&host);
            assert!(
                cookie.starts_with("id=") && !cookie.contains(SECURE),
                "{host}: {cookie}"
            );
            let (pair, _) = cookie.split_once(';').unwrap();
            assert_eq!(site.visit(&host, Some(pair)).1, "2", "{host}");
        }
        let lines = site.warnings();
        assert_eq!(lines.len(), warnings, "{address}");
        for line in lines {
            assert!(line.contains(ELSEWHERE), "{line}");
        }
    }
}

#[test]
fn a_debug_build_keeps_the_cookie_secure_for_every_other_host() {
    let site = Site::new(&[]);
    for host in ["example.org", "192.168.0.7:8000", "localhost.example.org"] {
        let cookie = site.cookie(host);
        assert!(
            cookie.starts_with("__Host-id=") && cookie.contains(SECURE),
            "{host}: {cookie}"
        );
    }
}

#[test]
fn other_profiles_and_settings_keep_the_cookie_secure_and_say_so() {
    for variables in [
        [("ROCKET_PROFILE", "prod")],
        [("ROCKET_PROFILE", "release")],
        [("ROCKET_SESSION", "{events=\"off\",cookie={secure=true}}")],
    ] {
        let site = Site::new(&variables);
        let cookie = site.cookie("localhost");
        assert!(
            cookie.starts_with("__Host-id=") && cookie.contains(SECURE),
            "{variables:?}: {cookie}"
        );
        let lines = site.warnings();
        assert_eq!(lines.len(), 1, "{variables:?}");
        assert!(lines[0].contains(OVER_HTTP), "{lines:?}");
    }
    for session in [
        "{events=\"off\",cookie={secure=false}}",
        "{events=\"off\",cookie={secure=\"auto\"}}",
    ] {
        let site = Site::new(&[("ROCKET_SESSION", session)]);
        assert!(site.cookie("localhost").starts_with("id="), "{session}");
        assert_eq!(site.warnings(), [""; 0], "{session}");
    }
}
