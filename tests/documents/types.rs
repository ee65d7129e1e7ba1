//! Each type has a name of its own, and its methods stand in its folder.

use std::collections::BTreeMap;

use crate::sources::{Source, code, name_after, sources};

const KINDS: [&str; 4] = ["struct ", "enum ", "trait ", "type "];

fn without_visibility(line: &str) -> &str {
    let rest = line.strip_prefix("pub").unwrap_or(line);
    let rest = rest
        .strip_prefix('(')
        .and_then(|it| it.split_once(") "))
        .map_or(rest, |(_, rest)| rest);
    rest.trim_start()
}

/// The type whose methods an `impl` at the left margin has.
fn methods_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(generics) => generics.split_once("> ")?.1,
        None => rest.strip_prefix(' ')?,
    };
    let is_of_a_trait = line.contains(" for ");
    name_after(rest, &[""]).filter(|_| !is_of_a_trait)
}

/// Where each type of a package is declared, and where it has methods: files below its sources.
type Places = BTreeMap<String, Vec<String>>;

fn places(folder: &str) -> (Places, Places) {
    let (mut declared, mut methods) = (Places::new(), Places::new());
    for Source { path, text } in sources(folder) {
        for line in code(&text) {
            // An indented `type` belongs to a trait.
            let is_of_a_trait = line.starts_with("    type ");
            let declaration = name_after(without_visibility(line), &KINDS);
            if let Some(name) = declaration.filter(|_| !is_of_a_trait) {
                declared
                    .entry(name.to_owned())
                    .or_default()
                    .push(path.clone());
            }
            if let Some(name) = methods_of(line) {
                methods
                    .entry(name.to_owned())
                    .or_default()
                    .push(path.clone());
            }
        }
    }
    (declared, methods)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[test]
fn no_name_stands_for_two_types_of_a_package() {
    for folder in ["src", "app/src"] {
        let (declared, _) = places(folder);
        assert!(declared.len() > 60, "{}", declared.len());
        let twice: Vec<_> = declared.iter().filter(|(_, at)| at.len() > 1).collect();
        assert!(twice.is_empty(), "{twice:#?}");
    }
}

#[test]
fn methods_stand_in_the_folder_of_their_type() {
    for folder in ["src", "app/src"] {
        let (declared, methods) = places(folder);
        let mut apart = Vec::new();
        for (name, files) in &methods {
            for file in files {
                let homes = declared.get(name).into_iter().flatten();
                let is_at_home = |home: &String| parent(file).starts_with(parent(home));
                if !homes.clone().any(is_at_home) {
                    apart.push(format!(
                        "{name} in {file}, declared in {:?}",
                        declared.get(name)
                    ));
                }
            }
        }
        assert!(apart.is_empty(), "{apart:#?}");
    }
}
