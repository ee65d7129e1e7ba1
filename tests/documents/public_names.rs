//! The list of the public names, which changes only together with `public_names.txt`.
//!
//! The compiler refuses `pub` on what nobody outside can reach (`unreachable_pub`), so the sources
//! give the whole list.

use std::collections::BTreeSet;
use std::fs;

use crate::sources::{Source, code, name_after, sources};

/// The root of the crate has at most so many names, beside its modules.
const ROOT: usize = 12;

/// The public modules whose re-exports count.
const MODULES: [&str; 5] = ["", "csrf::", "events::", "request::", "store::"];

/// The type that the methods, fields or variants below this line belong to.
fn owner(line: &str) -> Option<&str> {
    let kinds = ["pub struct ", "pub enum ", "pub trait "];
    if let Some(name) = name_after(line, &kinds) {
        return Some(name);
    }
    let generics = line
        .strip_prefix("impl<")
        .and_then(|it| it.split_once("> "));
    let rest = generics.map_or_else(|| line.strip_prefix("impl "), |(_, rest)| Some(rest))?;
    let is_of_a_trait = rest.split_whitespace().any(|word| word == "for");
    name_after(rest, &[""]).filter(|_| !is_of_a_trait)
}

/// The public names of one file.
fn names(module: &str, text: &str, found: &mut BTreeSet<String>) {
    const ITEMS: [&str; 6] = [
        "pub fn ",
        "pub const ",
        "pub type ",
        "pub struct ",
        "pub enum ",
        "pub trait ",
    ];
    const METHODS: [&str; 4] = ["pub fn ", "pub async fn ", "pub const fn ", "pub const "];
    let (mut within, mut kind) = (None, "");
    let text: Vec<_> = code(text).filter(|line| !line.is_empty()).collect();
    let joined = format!("\n{}", text.join("\n"));
    let is_public = MODULES.contains(&module);
    for used in joined.split("\npub use ").skip(1).filter(|_| is_public) {
        let used = used.split(';').next().unwrap_or_default();
        let (path, names) = used.rsplit_once("::").unwrap();
        let names = names.trim_matches(['{', '}', '\n']).split(',');
        let names = names.map(str::trim).filter(|name| !name.is_empty());
        found.extend(names.map(|name| format!("{module}{name} (from {path})")));
    }
    for line in text {
        if !line.starts_with([' ', '}', '#', ')']) {
            if let Some(name) = name_after(line, &ITEMS) {
                found.insert(name.to_owned());
            }
            within = owner(line);
            kind = line.split(' ').nth(1).unwrap_or_default();
            continue;
        }
        let (Some(owner), Some(line)) = (within, line.strip_prefix("    ")) else {
            continue;
        };
        let name = match (line.starts_with("pub "), kind) {
            (true, _) => name_after(line, &METHODS).or_else(|| name_after(line, &["pub "])),
            (false, "trait") => name_after(line, &["fn "]),
            (false, "enum") => name_after(line, &[""]),
            _ => None,
        };
        found.extend(name.map(|name| format!("{owner}::{name}")));
    }
}

fn all_names() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for Source { path, text } in sources("src") {
        let module = path.trim_end_matches(".rs").trim_end_matches("mod");
        let module = match module {
            "lib" => String::new(),
            _ => module.trim_end_matches('/').replace('/', "::") + "::",
        };
        names(&module, &text, &mut found);
    }
    found
}

#[test]
fn the_public_names_are_those_of_the_list() {
    let list = testing::root().join("tests/documents/public_names.txt");
    let list = fs::read_to_string(list).unwrap();
    let listed: BTreeSet<_> = list.lines().map(str::to_owned).collect();
    let names = all_names();
    let added: Vec<_> = names.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&names).collect();
    assert!(
        added.is_empty() && gone.is_empty(),
        "added: {added:#?}, gone: {gone:#?}"
    );
}

#[test]
fn the_root_has_few_names() {
    let names = all_names();
    let is_at_root = |name: &&String| {
        name.split_once(" (from ")
            .is_some_and(|(name, _)| !name.contains("::"))
    };
    let root: Vec<_> = names.iter().filter(is_at_root).collect();
    assert!((8..=ROOT).contains(&root.len()), "{root:?}");
}
