//! How often passwords may be tried, and what becomes of those who try them.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use rocket::serde::json::json;

use support::accounts::{EMAIL, PASSWORD, complaint, is_signed_in, patiently, register, sign_in};
use support::application::{Answer, Application, Visitor};
use support::database::TestDatabase;
use support::{on_every_backend, sql};

on_every_backend!(
    cve_2019_5421_of_200_wrong_passwords_at_once_10_are_compared,
    u15_the_count_outlives_a_process_and_the_wait_rises,
    u15_strangers_shut_no_owner_out,
    u15_confirming_and_changing_count_for_their_session,
    u15_an_address_counts_on_all_accounts_together,
    u15_registrations_of_an_address_are_counted,
    u15_what_is_forgotten_is_deleted,
);

const WRONG: &str = "not the right one";
const GRACE: &str = "grace@example.org";

/// With these settings of `[default.accounts]`.
fn start(database: &TestDatabase, settings: &str) -> Application {
    Application::start_with(database, &[("ROCKET_ACCOUNTS", settings)])
}

/// The numbers in a column of the table of attempts, the smallest first.
fn attempts(database: &TestDatabase, column: &str) -> Vec<i64> {
    let select = format!("SELECT CONCAT({column}, '') AS text FROM attempts");
    let texts = sql::texts(database, &select);
    let mut numbers: Vec<i64> = texts.iter().map(|text| text.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

/// Lets time pass for all who have to wait.
fn pass(database: &TestDatabase, seconds: i64) {
    let earlier = format!(
        "UPDATE attempts SET next_at = next_at - {0}, last_at = last_at - {0}",
        seconds * 1_000
    );
    sql::execute(database, &earlier);
}

fn seconds(answer: &Answer) -> i64 {
    let seconds = answer.header("Retry-After");
    seconds
        .unwrap_or_else(|| panic!("{answer:?}"))
        .parse()
        .unwrap()
}

fn assert_too_often(answer: &Answer, most: i64) {
    assert_eq!(answer.status, 429, "{answer:?}");
    let wait = seconds(answer);
    assert!(
        (most - 20..=most).contains(&wait),
        "{wait} instead of {most}"
    );
    assert_eq!(answer.set_cookie("id"), None);
    let minutes = match most {
        ..=60 => "in 1 minute.".to_owned(),
        more => format!("in {} minutes.", (more + 59) / 60),
    };
    assert!(answer.body.contains(&minutes), "{minutes}: {}", answer.body);
}

fn sign_in_by_program(program: &Visitor, email: &str, password: &str) -> Answer {
    let credentials = json!({ "email": email, "password": password });
    program.post_json("/api/v1/signin", &credentials.to_string())
}

fn cve_2019_5421_of_200_wrong_passwords_at_once_10_are_compared(database: &TestDatabase) {
    let application = start(database, "{attempts_per_address=10000}");
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(database, "DELETE FROM attempts");
    let mut compared = Vec::new();
    for email in [EMAIL, "nobody@example.org"] {
        let visitor = &application.visitor();
        // One browser, which has the form before it sends it.
        visitor.form_token();
        let answers: Vec<Answer> = thread::scope(|scope| {
            let attempt = |number: u32| {
                let password = format!("{WRONG} {number}");
                sign_in(visitor, email, &password)
            };
            let attempts = (0..200).map(|number| scope.spawn(move || attempt(number)));
            let attempts: Vec<_> = attempts.collect();
            attempts
                .into_iter()
                .map(|one| one.join().unwrap())
                .collect()
        });
        let count = |status| answers.iter().filter(|it| it.status == status).count();
        // Those that were turned away for want of a processor were not compared either.
        let hashed = count(401);
        assert!((1..=10).contains(&hashed), "{hashed}");
        assert_eq!(count(401) + count(429) + count(503), 200);
        compared.push(hashed as i64);
        let refused = answers.iter().filter(|it| it.status == 429);
        refused.for_each(|answer| assert_too_often(answer, 30));
    }
    let of_address = compared.iter().sum();
    compared.sort_unstable();
    compared.push(of_address);
    assert_eq!(
        attempts(database, "failures"),
        compared,
        "the count is exact"
    );
}

fn u15_the_count_outlives_a_process_and_the_wait_rises(database: &TestDatabase) {
    let mut application = start(database, "{attempts_per_account=3}");
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(database, "DELETE FROM attempts");
    let visitor = application.visitor();
    for _ in 0..3 {
        assert_eq!(sign_in(&visitor, EMAIL, WRONG).status, 401);
    }
    application.kill();
    application.restart();
    for wait in [30, 60, 120, 240, 480, 900, 900] {
        // Who comes too early waits no longer for it, the right password or not.
        for password in [WRONG, PASSWORD, PASSWORD] {
            assert_too_often(&sign_in(&visitor, EMAIL, password), wait);
            assert_too_often(&sign_in_by_program(&visitor, EMAIL, password), wait);
        }
        pass(database, wait);
        assert_eq!(sign_in(&visitor, EMAIL, WRONG).status, 401);
    }
    assert_eq!(attempts(database, "failures"), [10, 10]);
    pass(database, 900);
    assert_eq!(sign_in(&visitor, EMAIL, PASSWORD).location(), "/home");
    // The account begins anew, the address goes on.
    assert_eq!(attempts(database, "failures"), [10]);
    let other = application.visitor();
    for _ in 0..3 {
        assert_eq!(sign_in(&other, EMAIL, WRONG).status, 401);
    }
    assert_eq!(attempts(database, "failures"), [3, 13]);
    pass(database, 24 * 60 * 60);
    assert_eq!(sign_in(&other, EMAIL, WRONG).status, 401);
    assert_eq!(attempts(database, "failures"), [1, 1]);
}

fn u15_strangers_shut_no_owner_out(database: &TestDatabase) {
    let application = start(database, "{attempts_per_account=3,attempts_per_address=5}");
    let [ada, telephone, grace] = [(); 3].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    sign_in(&telephone, EMAIL, PASSWORD);
    register(&grace, GRACE, &[]);
    ada.post("/logout", &[]);
    let stranger = application.visitor();
    for _ in 0..3 {
        assert_eq!(sign_in(&stranger, EMAIL, WRONG).status, 401);
    }
    for _ in 0..3 {
        sign_in(&stranger, "nobody@example.org", WRONG);
    }
    // The account and the address are both at their limits now.
    for password in [WRONG, PASSWORD] {
        assert_too_often(&sign_in(&stranger, EMAIL, password), 30);
        assert_too_often(&sign_in(&application.visitor(), GRACE, password), 30);
    }

    let hammers = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            while hammers.load(Ordering::Relaxed) {
                assert_eq!(sign_in(&stranger, EMAIL, WRONG).status, 429);
            }
        });
        // In a live session:
        let confirmed = telephone.post("/account/confirm", &[("password", PASSWORD)]);
        assert_eq!(confirmed.location(), "/home");
        let change = [("current", PASSWORD), ("new", "staple battery horse")];
        assert_eq!(
            telephone.post("/account/password", &change).location(),
            "/account"
        );
        // With a browser that is known:
        let wrong = sign_in(&ada, EMAIL, PASSWORD);
        assert_eq!(wrong.status, 401);
        let signed_in = sign_in(&ada, EMAIL, "staple battery horse");
        assert_eq!(signed_in.location(), "/home");
        assert!(signed_in.set_cookie("device").is_some());
        hammers.store(false, Ordering::Relaxed);
    });
    // Grace's browser is known, but not as one of Ada's.
    assert_too_often(&sign_in(&grace, EMAIL, PASSWORD), 30);
    assert_eq!(sign_in(&grace, GRACE, PASSWORD).location(), "/home");
    // A browser that is known does not try for ever, either.
    for _ in 0..3 {
        assert_eq!(sign_in(&ada, EMAIL, WRONG).status, 401);
    }
    assert_too_often(&sign_in(&ada, EMAIL, "staple battery horse"), 30);
    assert!(is_signed_in(&telephone));
}

fn u15_confirming_and_changing_count_for_their_session(database: &TestDatabase) {
    let application = start(database, "{attempts_per_account=4}");
    let [ada, telephone] = [(); 2].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    sign_in(&telephone, EMAIL, PASSWORD);
    sql::execute(database, "DELETE FROM attempts");
    let confirm = |password| ada.post("/account/confirm", &[("password", password)]);
    let change = |current| {
        let fields = [("current", current), ("new", "staple battery horse")];
        ada.post("/account/password", &fields)
    };
    let change_by_program = |current| {
        let fields = json!({ "current": current, "new": "staple battery horse" });
        ada.put_json("/api/v1/password", &fields.to_string())
    };
    assert_eq!((confirm(WRONG).status, confirm(WRONG).status), (422, 422));
    assert_eq!(
        (change(WRONG).status, change_by_program(WRONG).status),
        (422, 400)
    );
    for password in [WRONG, PASSWORD] {
        let refused = confirm(password);
        assert_too_often(&refused, 30);
        assert!(complaint(&refused, "password").contains("too many attempts"));
        let refused = change(password);
        assert_too_often(&refused, 30);
        assert!(complaint(&refused, "current").contains("too many attempts"));
        let refused = change_by_program(password);
        assert_too_often(&refused, 30);
        assert_eq!(refused.json()["status"], 429);
    }
    assert!(is_signed_in(&ada), "all else goes on");
    let confirmed = telephone.post("/account/confirm", &[("password", PASSWORD)]);
    assert_eq!(confirmed.location(), "/home");
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
    pass(database, 30);
    assert_eq!(change(PASSWORD).location(), "/account");
    assert_eq!(attempts(database, "failures"), [0]);
}

fn u15_an_address_counts_on_all_accounts_together(database: &TestDatabase) {
    let application = start(database, "{attempts_per_address=5}");
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(database, "DELETE FROM attempts");
    // Right passwords do not count, however many.
    for _ in 0..7 {
        let signed_in = sign_in(&application.visitor(), EMAIL, PASSWORD);
        assert_eq!(signed_in.location(), "/home");
    }
    assert_eq!(attempts(database, "failures"), [0]);
    let stranger = application.visitor();
    for number in 0..5 {
        let email = format!("nobody+{number}@example.org");
        assert_eq!(sign_in(&stranger, &email, WRONG).status, 401);
    }
    let rows = attempts(database, "failures");
    assert_eq!(rows, [1, 1, 1, 1, 1, 5]);
    for number in 5..8 {
        let email = format!("nobody+{number}@example.org");
        assert_too_often(&sign_in(&stranger, &email, WRONG), 30);
        assert_too_often(&sign_in_by_program(&stranger, &email, WRONG), 30);
    }
    assert_eq!(
        attempts(database, "failures"),
        rows,
        "who is refused leaves no row"
    );
}

fn u15_registrations_of_an_address_are_counted(database: &TestDatabase) {
    let application = start(database, "{attempts_per_address=3}");
    let join = |number: u32| {
        let email = format!("ada+{number}@example.org");
        register(&application.visitor(), &email, &[])
    };
    assert_eq!(join(1).location(), "/home");
    assert_eq!(join(1).status, 422, "taken");
    assert_eq!(join(2).location(), "/home");
    let refused = join(3);
    assert_too_often(&refused, 30);
    assert!(refused.body.contains(r#"role="alert""#));
    let account = json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": EMAIL, "password": PASSWORD,
    });
    let program = application.visitor();
    let refused = program.post_json("/api/v1/signup", &account.to_string());
    assert_too_often(&refused, 30);
    assert_eq!(refused.json()["title"], "Too Many Requests");
    assert_eq!(sql::count(database, "users"), 2);
    // It is another count than that of the sign-ins.
    let signed_in = sign_in(&program, "ada+1@example.org", PASSWORD);
    assert_eq!(signed_in.location(), "/home");
    pass(database, 30);
    assert_eq!(join(3).location(), "/home");
}

fn u15_what_is_forgotten_is_deleted(database: &TestDatabase) {
    let application = Application::start(database);
    let old = (0..25).map(|number| format!("('{number}', 50, 900001, 1)"));
    let old: Vec<_> = old.collect();
    let insert = format!("INSERT INTO attempts VALUES {}", old.join(", "));
    sql::execute(database, &insert);
    let devices = (0..5).map(|number| format!("('{number}', 'ada', 1)"));
    let devices: Vec<_> = devices.collect();
    let insert = format!("INSERT INTO known_devices VALUES {}", devices.join(", "));
    sql::execute(database, &insert);
    let visitor = application.visitor();
    for number in 0..2 {
        let email = format!("nobody+{number}@example.org");
        assert_eq!(sign_in(&visitor, &email, WRONG).status, 401);
    }
    assert_eq!(attempts(database, "failures"), [1, 1, 2]);

    register(&visitor, EMAIL, &[]);
    assert_eq!(sql::count(database, "known_devices"), 1);
    // Of one user's, the newest are kept.
    let user = sql::texts(database, "SELECT id AS text FROM users")[0].clone();
    let now = chrono::Utc::now().timestamp_millis();
    let devices = (0..25).map(|number| format!("('{number}', '{user}', {})", now - 9_999_000));
    let devices: Vec<_> = devices.collect();
    let insert = format!("INSERT INTO known_devices VALUES {}", devices.join(", "));
    sql::execute(database, &insert);
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
    assert_eq!(sql::count(database, "known_devices"), 20);
    assert_eq!(
        sql::count(database, "known_devices WHERE LENGTH(id) = 64"),
        2
    );
}

/// An answer without what differs from one request to the next.
fn comparable(answer: &Answer, email: &str) -> String {
    let mut text = format!("{answer:?}").replace(email, "EMAIL");
    for (before, after) in [
        (r#""date": ""#, '"'),
        (r#""retry-after": ""#, '"'),
        (r#"name=\"_token\" value=\""#, '\\'),
    ] {
        if let Some(start) = text.find(before) {
            let start = start + before.len();
            let length = text[start..].find(after).unwrap();
            text.replace_range(start..start + length, "…");
        }
    }
    text
}

#[test]
fn cve_2021_21424_nobody_learns_which_accounts_there_are() {
    let database = support::database::sqlite();
    let application = start(&database, "{attempts_per_account=2}");
    let emails = ["ada@example.org", "bob@example.org", "eve@example.org"];
    for email in &emails[..2] {
        register(&application.visitor(), email, &[]);
    }
    let disable = format!(
        "UPDATE users SET disabled_at = 1 WHERE email = '{}'",
        emails[1]
    );
    sql::execute(&database, &disable);
    let [visitor, program] = [(); 2].map(|()| application.visitor());
    // Known and wrong; disabled and right, as in CVE-2024-50341; unknown.
    let [known, rest @ ..] = [
        (emails[0], WRONG),
        (emails[1], PASSWORD),
        (emails[2], WRONG),
    ]
    .map(|(email, password)| {
        let by_form = (0..2).map(|_| sign_in(&visitor, email, password));
        let mut answers: Vec<_> = by_form.collect();
        answers.push(sign_in(&visitor, email, password));
        pass(&database, 30);
        answers.push(sign_in_by_program(&program, email, password));
        answers.push(sign_in_by_program(&program, email, password));
        let statuses: Vec<_> = answers.iter().map(|it| it.status).collect();
        assert_eq!(statuses, [401, 401, 429, 401, 429]);
        let texts = answers.iter().map(|it| comparable(it, email));
        texts.collect::<Vec<_>>()
    });
    for other in rest {
        assert_eq!(known, other);
    }
}

#[test]
fn cve_2016_4423_an_address_that_is_none_is_neither_counted_nor_hashed() {
    let database = support::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let label = "x".repeat(63);
    let of_length = |length: usize| {
        let rest = "x".repeat(length - 200);
        format!("ada@{label}.{label}.{label}.{rest}.org")
    };
    let (long, longer) = (of_length(255), "x".repeat(20_000));
    for email in [
        "ada",
        "ada@",
        "ada@example.org\r\nX: y",
        "a\0@example.org",
        &long,
        &longer,
    ] {
        let start = Instant::now();
        for _ in 0..20 {
            let refused = sign_in(&visitor, email, WRONG);
            assert_eq!(refused.status, 422, "{email:.60}");
            assert!(complaint(&refused, "email").contains("not an e-mail address"));
            let refused = sign_in_by_program(&visitor, email, WRONG);
            assert_eq!(refused.status, 400, "{email:.60}");
        }
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "as if it were hashed"
        );
    }
    assert_eq!(sql::count(&database, "attempts"), 0);
    assert_eq!(sign_in(&visitor, &of_length(254), WRONG).status, 401);
}

#[test]
fn u15_the_cookie_of_a_known_device_is_a_secret_of_its_browser() {
    for (profile, name, secure) in [("dev", "device", false), ("prod", "__Host-device", true)] {
        let database = support::database::sqlite();
        let application = Application::start_with(&database, &[("ROCKET_PROFILE", profile)]);
        let registered = register(&application.visitor(), EMAIL, &[]);
        let line = registered.set_cookie(name).unwrap();
        let (cookie, attributes) = line.split_once("; ").unwrap();
        let mut attributes: Vec<_> = attributes.split("; ").collect();
        attributes.sort_unstable();
        let mut expected = vec!["HttpOnly", "Max-Age=15552000", "Path=/", "SameSite=Lax"];
        expected.extend(secure.then_some("Secure"));
        attributes.retain(|attribute| !attribute.starts_with("Expires="));
        assert_eq!(attributes, expected, "{line}");

        let ids = sql::texts(&database, "SELECT id AS text FROM known_devices");
        let (_, token) = cookie.split_once('=').unwrap();
        assert_eq!((token.len(), ids.len(), ids[0].len()), (43, 1, 64));
        assert!(!ids[0].contains(token));

        // The same browser keeps its own; what was planted is not adopted.
        let again = sign_in(&application.visitor_with(cookie), EMAIL, PASSWORD);
        assert!(again.set_cookie(name).unwrap().starts_with(cookie));
        for planted in [
            format!("{name}={}", "A".repeat(43)),
            format!("{name}=nonsense"),
        ] {
            let signed_in = sign_in(&application.visitor_with(&planted), EMAIL, PASSWORD);
            let line = signed_in.set_cookie(name).unwrap();
            assert!(!line.starts_with(&planted), "{line}");
        }
        let wrong = sign_in(&application.visitor_with(cookie), EMAIL, WRONG);
        assert_eq!((wrong.status, wrong.set_cookie(name)), (401, None));
    }
}

/// The time that a process has had of the processors.
fn worked(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let of_thread = |thread: io::Result<fs::DirEntry>| -> Option<u64> {
        let statistics = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        statistics.split(' ').next()?.parse().ok()
    };
    Duration::from_nanos(threads.filter_map(of_thread).sum())
}

/// In the processors' time: what the clock says tells as much of whatever else the machine does.
#[test]
#[ignore = "takes minutes: run ./test.sh"]
fn u15_unknown_and_known_users_take_the_same_time() {
    const EACH: usize = 500;
    let database = support::database::sqlite();
    let settings = "{attempts_per_account=100,attempts_per_address=10000}";
    let application = start(&database, settings);
    register(&application.visitor(), EMAIL, &[]);
    let visitor = application.visitor();
    let took = |email: &str| {
        let before = worked(application.id());
        let refused = patiently(|| sign_in_by_program(&visitor, email, WRONG));
        assert_eq!(refused.status, 401);
        (worked(application.id()) - before).as_micros() as i64
    };
    let mut differences = Vec::new();
    for number in 0..EACH {
        if number % 90 == 0 {
            sql::execute(&database, "DELETE FROM attempts");
        }
        // Each goes first as often as the other.
        let mut times = [0, 0];
        for which in [number % 2, 1 - number % 2] {
            times[which] = took([EMAIL, "eve@example.org"][which]);
        }
        differences.push(times[0] - times[1]);
    }
    differences.sort_unstable();
    let median = differences[EACH / 2];
    eprintln!("known users take {median} µs more in the median of {EACH} pairs");
    assert!(median.abs() < 2_000, "{median} µs");
}

#[test]
fn u7_many_sign_ins_at_once_leave_those_who_are_inside_alone() {
    let database = support::database::sqlite();
    let application = start(&database, "{attempts_per_address=10000}");
    let inside = application.visitor();
    register(&inside, EMAIL, &[]);
    let (floods, flood) = (AtomicBool::new(true), application.visitor());
    flood.form_token();
    let (mut probes, answers) = thread::scope(|scope| {
        let probe = scope.spawn(|| {
            let mut probes = Vec::new();
            while floods.load(Ordering::Relaxed) {
                let start = Instant::now();
                assert!(is_signed_in(&inside));
                probes.push(start.elapsed());
                thread::sleep(Duration::from_millis(5));
            }
            probes
        });
        let flood = &flood;
        let sign_ins: Vec<_> = (0..256)
            .map(|number| {
                let email = format!("nobody+{number}@example.org");
                scope.spawn(move || {
                    let start = Instant::now();
                    (sign_in(flood, &email, WRONG), start.elapsed())
                })
            })
            .collect();
        let answers = sign_ins.into_iter().map(|one| one.join());
        let answers: Vec<_> = answers.collect();
        floods.store(false, Ordering::Relaxed);
        let answers: Result<Vec<_>, _> = answers.into_iter().collect();
        (probe.join().unwrap(), answers.unwrap())
    });
    let count = |status| answers.iter().filter(|(it, _)| it.status == status).count();
    let (compared, turned_away) = (count(401), count(503));
    assert_eq!(compared + turned_away, 256);
    assert!(compared > 0 && turned_away > 0, "{compared}, {turned_away}");
    for (answer, _) in answers.iter().filter(|(it, _)| it.status == 503) {
        assert!(
            answer.body.contains("More passwords are being checked"),
            "{}",
            answer.body
        );
        assert!(seconds(answer) > 0);
    }
    // Whoever was turned away has no attempt counted.
    let counted = sql::count(&database, "attempts WHERE failures = 1");
    // The registration is one more.
    assert_eq!(counted, compared + 1);
    probes.sort_unstable();
    let [median, p99] = [50, 99].map(|percent| probes[probes.len() * percent / 100]);
    let slowest = answers.iter().map(|(_, took)| took).max();
    eprintln!(
        "{} probes: median {median:?}, p99 {p99:?}; {compared} compared, {turned_away} turned away, \
         the last after {slowest:?}",
        probes.len()
    );
}
