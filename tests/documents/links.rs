//! Links of the documents lead somewhere, and README is short.

use std::fs;
use std::path::{Path, PathBuf};

const README: &str = include_str!("../../README.md");
const FRONT_PAGE: &str = include_str!("../../src/lib.rs");

const DOCUMENTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "app/README.md",
    "bench/FAULTS.md",
    "bench/README.md",
    "deploy/README.md",
    "examples/README.md",
    "examples/moving_from_express/README.md",
    "fuzz/README.md",
    "src/guide/api_and_mobile_clients.md",
    "src/guide/backup.md",
    "src/guide/coming_from_express.md",
    "src/guide/in_your_application.md",
    "src/guide/moving_from_express.md",
    "src/guide/on_a_cluster.md",
    "src/guide/openid_connect.md",
    "src/guide/settings.md",
    "src/guide/streams.md",
    "src/guide/testing_your_routes.md",
];

/// The text outside the examples.
fn prose(text: &str) -> String {
    text.split("\n```").step_by(2).collect()
}

/// The targets in `](…)`, and after `]: ` at the beginning of a line.
fn targets(text: &str) -> Vec<&str> {
    let inline = text
        .split("](")
        .skip(1)
        .filter_map(|it| it.split(')').next());
    let definitions = text.lines().filter(|line| line.starts_with('['));
    let definitions = definitions.filter_map(|line| Some(line.split_once("]: ")?.1));
    inline.chain(definitions).collect()
}

/// The anchor that a code host and rustdoc give a heading.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Why a link leads nowhere.
fn fault(document: &Path, text: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path: PathBuf = match file {
        "" => document.to_owned(),
        file => document.parent().unwrap().join(file),
    };
    let known = if file.is_empty() {
        Some(text.to_owned())
    } else {
        None
    };
    if !path.exists() {
        return Some(format!("{}: no {target}", document.display()));
    }
    let known = known.unwrap_or_else(|| fs::read_to_string(&path).unwrap_or_default());
    let found = anchor.is_empty() || anchors(&prose(&known)).iter().any(|it| it == anchor);
    (!found).then(|| format!("{}: no heading for {target}", document.display()))
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut faults = Vec::new();
    for document in DOCUMENTS {
        let path = testing::root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        let prose = prose(&text);
        faults.extend(
            targets(&prose)
                .into_iter()
                .filter_map(|it| fault(&path, &text, it)),
        );
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_link_of_a_guide_has_a_target_for_rustdoc_too() {
    let labels = |text: &str| -> Vec<String> {
        let definitions = text.lines().filter(|line| line.starts_with('['));
        let labels = definitions.filter_map(|line| Some(line.split_once("]: ")?.0.to_owned()));
        labels.collect()
    };
    let known = labels(include_str!("../../src/guide/links.md"));
    for guide in DOCUMENTS.iter().filter(|it| it.starts_with("src/guide/")) {
        let text = fs::read_to_string(testing::root().join(guide)).unwrap();
        let prose = prose(&text);
        let outside =
            |line: &&str| line.starts_with('[') && line.contains("]: https://api.rocket.rs/");
        let elsewhere = labels(&prose.lines().filter(outside).collect::<Vec<_>>().join("\n"));
        let missing = labels(&prose).into_iter();
        let missing = missing.filter(|it| !known.contains(it) && !elsewhere.contains(it));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<String>::new(), "{guide}");
        assert!(
            !prose.contains("](crate::") && !prose.contains(".md)"),
            "{guide}"
        );
    }
}

#[test]
fn a_link_to_a_source_has_the_name_in_it() {
    for guide in DOCUMENTS.iter().filter(|it| it.starts_with("src/guide/")) {
        let path = testing::root().join(guide);
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.starts_with("[`")) {
            let Some((name, file)) = line.trim_start_matches("[`").split_once("`]: ../") else {
                continue;
            };
            let source = fs::read_to_string(path.parent().unwrap().join("..").join(file)).unwrap();
            let name = name.rsplit("::").next().unwrap().trim_start_matches('&');
            let starts = ["fn", "struct", "enum", "trait", "const"];
            let is_defined = starts
                .iter()
                .any(|it| source.contains(&format!("{it} {name}")))
                || source.contains(&format!("    {name},"));
            assert!(is_defined, "{guide}: {line}");
        }
    }
}

/// Names in brackets to which neither `(…)` nor a definition gives a target.
fn bare(text: &str) -> Vec<&str> {
    let brackets = text.match_indices("[`").filter_map(|(at, _)| {
        let (name, rest) = text[at + 1..].split_once(']')?;
        let is_link = rest.starts_with(['(', '[', ':']);
        (!is_link && !text.contains(&format!("\n[{name}]: "))).then_some(name)
    });
    brackets.collect()
}

#[test]
fn no_name_stands_in_brackets_without_a_link() {
    for document in DOCUMENTS {
        let text = fs::read_to_string(testing::root().join(document)).unwrap();
        let prose = prose(&text);
        assert_eq!(bare(&prose), Vec::<&str>::new(), "{document}");
    }
}

#[test]
fn the_readme_is_short_and_begins_with_a_command() {
    assert!(README.lines().count() <= 140);
    let command = README.lines().position(|line| line.starts_with("```sh"));
    assert!(command.unwrap() < 14, "{command:?}");
}

/// The examples for configuration and Rust.
fn examples(text: &str) -> Vec<&str> {
    let blocks = text.split("\n```").skip(1).step_by(2);
    blocks
        .filter(|it| it.starts_with("toml") || it.starts_with("rust"))
        .collect()
}

#[test]
fn the_reference_begins_with_the_examples_of_the_readme() {
    let page = FRONT_PAGE
        .lines()
        .take_while(|line| line.starts_with("//!"));
    let page = page.map(|line| line[3..].strip_prefix(' ').unwrap_or_default());
    let page = page.collect::<Vec<_>>().join("\n");
    assert_eq!(examples(&page), examples(README));
}
