//! The reference of `Session` has the main methods first, and examples.

use std::fs;

/// Methods whose summary says all.
const OBVIOUS: &[&str] = &[
    "remove",
    "is_new",
    "is_remembered",
    "short_key",
    "now",
    "idle_timeout",
    "expires_at",
    "absolute_expiry",
    "client_address",
];

fn source(file: &str) -> String {
    fs::read_to_string(testing::root().join("src").join(file)).unwrap()
}

/// The public methods in a file, each with whether its documentation has an example.
fn methods(text: &str) -> Vec<(String, bool)> {
    let (mut found, mut has_example) = (Vec::new(), false);
    for line in text.lines() {
        let line = line.trim_start();
        has_example |= line.starts_with("/// ```");
        let method = line
            .strip_prefix("pub fn ")
            .or(line.strip_prefix("pub async fn "));
        if let Some(method) = method {
            let name = method.split(['(', '<']).next().unwrap();
            found.push((name.to_owned(), has_example));
        }
        if line.ends_with('{') && !line.starts_with("///") {
            has_example = false;
        }
    }
    found
}

/// All methods in the order of the reference: rustdoc shows the modules of a file before the file.
fn methods_of_session() -> Vec<(String, bool)> {
    let session = source("session/mod.rs");
    let modules = session.lines().filter_map(|line| {
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    let files = modules.map(|name| source(&format!("session/{name}.rs")));
    let files: Vec<_> = files.chain([session.clone()]).collect();
    files.iter().flat_map(|text| methods(text)).collect()
}

#[test]
fn the_reference_of_a_session_begins_with_its_values_and_the_sign_in() {
    let methods = methods_of_session();
    let first: Vec<_> = methods
        .iter()
        .map(|(name, _)| name.as_str())
        .take(6)
        .collect();
    assert_eq!(
        first,
        ["get", "insert", "update", "remove", "clear", "log_in"]
    );
}

#[test]
fn each_method_of_a_session_that_is_not_obvious_has_an_example() {
    let methods = methods_of_session();
    assert!(methods.len() > 30, "{methods:?}");
    let without = methods.iter().filter(|(_, has_example)| !has_example);
    let without: Vec<_> = without.map(|(name, _)| name.as_str()).collect();
    assert_eq!(without, OBVIOUS);
}
