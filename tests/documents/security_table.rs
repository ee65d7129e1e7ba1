//! The tests that SECURITY.md names for each requirement exist.

use std::fs;

use crate::sources::files_below;

const SECURITY: &str = include_str!("../../SECURITY.md");

/// The requirements of ASVS 5.0 at the levels 1 and 2 that apply, in the order of its chapters.
const REQUIREMENTS: &str = "1.2.4 1.5.2 2.3.3 2.4.1 3.2.1 3.2.2 3.3.1 3.3.2 3.3.3 3.3.4 3.4.1 3.4.2 \
    3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 3.5.2 3.5.3 3.7.2 4.1.1 4.1.3 4.2.1 6.1.1 6.1.2 6.1.3 6.2.1 6.2.2 \
    6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11 6.2.12 6.3.1 6.3.2 6.3.3 6.3.4 6.4.1 \
    6.4.2 6.4.3 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 7.1.1 7.1.2 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 \
    7.4.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.2 8.2.2 11.1.1 11.1.2 11.2.1 11.2.2 11.2.3 11.4.1 11.4.2 \
    11.5.1 12.3.1 13.2.2 13.3.1 13.4.2 13.4.4 14.2.1 14.3.1 14.3.2 15.1.2 15.1.3 15.2.1 15.2.2 15.3.3 \
    15.3.4 15.3.7 16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 \
    16.4.3 16.5.1 16.5.2 16.5.3";

/// The rows of the table: the requirements that each is about, how it is met, and by which tests
/// that is shown.
fn rows() -> Vec<(Vec<&'static str>, &'static str, Vec<&'static str>)> {
    let lines = SECURITY.lines().filter(|line| {
        let mut letters = line.trim_start_matches("| ").chars();
        line.starts_with("| ") && letters.next().is_some_and(|first| first.is_ascii_digit())
    });
    let row = |line: &'static str| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let &[requirements, _, _, how, tests] = cells.as_slice() else {
            panic!("not five cells: {line}");
        };
        (requirements.split(", ").collect(), how, names(tests))
    };
    lines.map(row).collect()
}

/// The texts between backticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_test_that_the_table_names_is_there() {
    let mut files = Vec::new();
    for folder in [
        "src",
        "tests",
        "examples",
        "fuzz/src",
        "app/src",
        "app/tests",
    ] {
        files_below(&testing::root().join(folder), &["node_modules"], &mut files);
    }
    files.retain(|file| file.extension().is_some_and(|it| it == "rs"));
    let all: String = files
        .iter()
        .map(|it| fs::read_to_string(it).unwrap())
        .collect();
    let rows = rows();
    let named = rows.iter().flat_map(|(_, _, tests)| tests);
    let missing: Vec<_> = named
        .filter(|test| !all.contains(&format!("fn {test}(")))
        .collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}

#[test]
fn every_requirement_has_a_test_or_a_reason_why_not() {
    let rows = rows();
    for required in REQUIREMENTS.split(' ') {
        let mut about = rows
            .iter()
            .filter(|(requirements, ..)| requirements.contains(&required));
        assert!(about.next().is_some(), "{required} is not in the table");
        assert!(about.next().is_none(), "{required} is in the table twice");
    }
    for (requirements, how, tests) in rows {
        let reasoned = ["Deviation", "Not applicable", "Documented"];
        let reason = reasoned.iter().any(|word| how.starts_with(word));
        assert!(
            reason || !tests.is_empty(),
            "{requirements:?} has no test: {how}"
        );
    }
}
