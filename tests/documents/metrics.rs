//! The guide has each metric with its type and its description, and no other.

use std::collections::{BTreeMap, BTreeSet};

const NAMES: &str = include_str!("../../src/metrics/names.rs");
const GUIDE: &str = include_str!("../../src/guide/settings.md");

/// The name, the type and the meaning of each metric that is described.
fn described() -> BTreeSet<[String; 3]> {
    let constants: BTreeMap<_, _> = NAMES
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pub(super) const ")?
                .split_once(": &str = \"")
        })
        .map(|(constant, name)| (constant, name.trim_end_matches("\";")))
        .collect();
    let calls = NAMES.split("describe_").skip(1);
    let described: BTreeSet<_> = calls
        .filter_map(|call| {
            let (kind, rest) = call.split_once("!(")?;
            let (constant, rest) = rest.trim_start().split_once(',')?;
            let meaning = rest.split('"').nth(1)?.to_owned() + ".";
            Some([constants[constant].to_owned(), kind.to_owned(), meaning])
        })
        .collect();
    assert_eq!(described.len(), constants.len());
    described
}

#[test]
fn the_guide_lists_every_metric() {
    let rows = GUIDE.lines().filter(|line| line.starts_with("| `session_"));
    let listed: BTreeSet<_> = rows
        .filter_map(|row| {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let name = cells.next()?.trim_matches('`');
            let (kind, meaning) = (cells.next()?, cells.nth(1)?);
            let is_metric = ["counter", "gauge", "histogram"].contains(&kind);
            is_metric.then(|| [name, kind, meaning].map(str::to_owned))
        })
        .collect();
    assert_eq!(listed, described());
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    for [name, kind, _] in described() {
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        assert!(name.starts_with("session_"), "{name}");
    }
}
