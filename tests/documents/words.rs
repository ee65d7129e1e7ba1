//! Sources, documents and pages use plain words.

use std::fs;
use std::path::Path;

use crate::sources::files_below;

/// Each in two parts, so that this file has none.
const AVOIDED: [(&str, &str); 6] = [
    ("who", "ever"),
    ("stran", "ger"),
    (" men", "d"),
    ("is to", "ld"),
    ("comes al", "ong"),
    ("one's o", "wn"),
];
const FOLDERS: [&str; 11] = [
    "src",
    "app",
    "tests",
    "testing",
    "examples",
    "fuzz",
    "deploy",
    "bench",
    "templates",
    "static",
    ".ci",
];
const NO_TEXT: [&str; 5] = [
    "target",
    "node_modules",
    "corpus",
    "vectors",
    "common_passwords.txt",
];

fn avoided(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let words = AVOIDED.iter().map(|(start, end)| format!("{start}{end}"));
    words.into_iter().find(|words| text.contains(words))
}

#[test]
fn nothing_is_said_in_words_that_people_have_to_read_twice() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in FOLDERS {
        files_below(&root.join(folder), &NO_TEXT, &mut found);
    }
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|it| it.to_str());
        if matches!(ending, Some("md" | "toml" | "sh")) {
            found.push(path);
        }
    }
    assert!(found.len() > 300, "{}", found.len());
    let faults = found.iter().filter_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        let lines = text.lines().enumerate();
        let mut faults = lines.filter_map(|(number, line)| Some((number + 1, avoided(line)?)));
        faults
            .next()
            .map(|fault| (path.display().to_string(), fault))
    });
    assert_eq!(faults.collect::<Vec<_>>(), []);
}

#[test]
fn an_avoided_word_is_found() {
    for (start, end) in AVOIDED {
        let line = format!("// It {start}{end} so.").to_uppercase();
        assert!(avoided(&line).is_some(), "{line}");
    }
    assert_eq!(avoided("// A recommended amendment."), None);
}
