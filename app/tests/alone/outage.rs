//! Uses the application while its database does not answer.

use std::process::Command;
use std::time::{Duration, Instant};

use testing::application::Application;
use testing::database;
use testing::server::wait_until;
use testing::visitor::{Answer, Visitor};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery";

/// Suspends the database server, and resumes it when dropped.
pub(crate) struct Stopped(String);

impl Stopped {
    pub(crate) fn server() -> Self {
        let stopped = Self(testing::provided("mariadb", "TEST_MARIADB_PID"));
        assert!(stopped.signal("-STOP"));
        stopped
    }

    fn signal(&self, signal: &str) -> bool {
        let status = Command::new("kill").args([signal, &self.0]).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

/// Expects any response before a person would give up.
fn soon(request: impl FnOnce() -> Answer) -> Answer {
    let start = Instant::now();
    let answer = request();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(3), "answered after {took:?}");
    answer
}

fn assert_one_moment(answer: &Answer) {
    assert_eq!(answer.status, 503);
    let seconds = answer.header("Retry-After").unwrap();
    assert!(seconds.parse::<u32>().is_ok(), "{seconds}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert!(answer.body.contains("One moment"), "{}", answer.body);
    for other in ["/login", "/register", "/logout", EMAIL] {
        assert!(!answer.body.contains(other), "{other} in {}", answer.body);
    }
    assert_eq!(answer.set_cookie("id"), None);
}

fn user(application: &Application) -> Visitor {
    let visitor = application.visitor();
    let fields = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    assert_eq!(visitor.post("/register", &fields).location(), "/home");
    // Keeps a page open whose form signs out.
    assert_eq!(visitor.get("/home").status, 200);
    visitor
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn nobody_is_signed_out_by_a_database_that_does_not_answer() {
    let _alone = super::alone();
    let database = database::mariadb();
    let application = Application::start(&database);
    let user = user(&application);
    let anonymous = application.visitor();

    let stopped = Stopped::server();
    for page in ["/home", "/", "/messages", "/login", "/nowhere"] {
        assert_one_moment(&soon(|| user.get(page)));
    }
    let problem = soon(|| user.get_as("application/json", "/home"));
    assert_eq!(problem.status, 503);
    assert_eq!(
        problem.header("Content-Type"),
        Some("application/problem+json")
    );
    assert_one_moment(&soon(|| user.post("/logout", &[])));
    for page in ["/", "/login", "/register"] {
        assert_eq!(soon(|| anonymous.get(page)).status, 200, "{page}");
    }
    let credentials = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(soon(|| anonymous.post("/login", &credentials)).status, 503);
    assert_eq!(soon(|| anonymous.get("/health/ready")).status, 503);
    assert_eq!(soon(|| anonymous.get("/health/live")).status, 200);
    drop(stopped);

    // Pending statements finish first; then everything works without a restart.
    heal(&anonymous);
    let home = user.get("/home");
    assert_eq!(home.status, 200);
    assert!(home.body.contains(EMAIL));
    assert_eq!(anonymous.post("/login", &credentials).location(), "/home");
    assert_eq!(user.post("/logout", &[]).location(), "/login?signed_out");
    assert_eq!(user.get("/home").location(), "/login?next=%2Fhome");
}

fn heal(anonymous: &Visitor) {
    wait_until("the application recovers", Duration::from_secs(20), || {
        anonymous.get("/health/ready").status == 200
    });
}
