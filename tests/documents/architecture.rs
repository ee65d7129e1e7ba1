//! ARCHITECTURE.md names files that exist, and counts them right.

use std::collections::BTreeSet;

use crate::sources::files_below;

const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");

/// The files of Rust between backticks.
fn files(text: &str) -> BTreeSet<&str> {
    let spans = text.split('`').skip(1).step_by(2);
    spans.filter(|span| span.ends_with(".rs")).collect()
}

/// The section under a heading.
fn section(heading: &str) -> &'static str {
    let (_, section) = ARCHITECTURE
        .split_once(&format!("\n## {heading}\n"))
        .unwrap();
    section.split("\n## ").next().unwrap()
}

#[test]
fn every_file_that_the_architecture_names_exists() {
    let mut known = Vec::new();
    for folder in ["src", "tests", "app"] {
        files_below(&testing::root().join(folder), &["node_modules"], &mut known);
    }
    let exists = |file: &str| known.iter().any(|it| it.ends_with(file));
    let missing: Vec<_> = files(ARCHITECTURE)
        .into_iter()
        .filter(|file| !exists(file))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
    let folders = ARCHITECTURE.split('`').skip(1).step_by(2);
    for folder in folders.filter(|span| span.starts_with("src/") && span.ends_with('/')) {
        assert!(testing::root().join(folder).is_dir(), "{folder}");
    }
}

#[test]
fn the_paths_of_a_read_and_of_a_write_count_their_files() {
    let number = |text: &str| text.split(' ').next().unwrap().parse::<usize>().unwrap();
    let path = |heading: &str| {
        let (steps, rest) = section(heading).split_once("\nThese ").unwrap();
        let (_, helpers) = rest.split_once(". ").unwrap();
        let table: String = helpers.lines().filter(|it| it.starts_with('|')).collect();
        assert_eq!(files(&table).len(), number(helpers), "{heading}");
        (files(steps), rest)
    };
    let (read, rest) = path("The path of a read");
    assert_eq!(read.len(), number(rest));
    assert!(read.len() <= 15, "{}", read.len());
    let (write, rest) = path("The path of a write");
    assert_eq!(write.len(), number(rest));
    let (_, all) = rest.split_once("pass the work on, ").unwrap();
    let paths: BTreeSet<_> = write.union(&read).collect();
    assert_eq!(paths.len(), number(all));
    assert!(paths.len() <= 20, "{}", paths.len());
}
