//! Checks that a refused sign-in does not show whether an account exists.

use std::time::{Duration, Instant};
use std::{fs, io};

use super::{WRONG, pass, sign_in_by_program, start};
use testing::accounts::{EMAIL, PASSWORD, complaint, register, sign_in, until_not_busy};
use testing::application::Application;
use testing::sql;
use testing::visitor::Answer;

/// Returns a response without the parts that differ between requests.
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
    let database = testing::database::sqlite();
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
    // A wrong password; a right one of a closed account, as in CVE-2024-50341; an unknown
    // account.
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
    let database = testing::database::sqlite();
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

/// Returns the processor time of a process.
fn worked(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let of_thread = |thread: io::Result<fs::DirEntry>| -> Option<u64> {
        let statistics = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        statistics.split(' ').next()?.parse().ok()
    };
    Duration::from_nanos(threads.filter_map(of_thread).sum())
}

/// Measures processor time: the clock would include other work of the machine.
#[test]
#[ignore = "takes minutes: run ./test.sh"]
fn unknown_and_known_users_take_the_same_time() {
    const EACH: usize = 500;
    let database = testing::database::sqlite();
    let settings = "{attempts_per_account=100,attempts_per_address=10000}";
    let application = start(&database, settings);
    register(&application.visitor(), EMAIL, &[]);
    let visitor = application.visitor();
    let took = |email: &str| {
        let before = worked(application.id());
        let refused = until_not_busy(|| sign_in_by_program(&visitor, email, WRONG));
        assert_eq!(refused.status, 401);
        (worked(application.id()) - before).as_micros() as i64
    };
    let mut differences = Vec::new();
    for number in 0..EACH {
        if number % 90 == 0 {
            sql::execute(&database, "DELETE FROM attempts");
        }
        // Each goes first equally often.
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
