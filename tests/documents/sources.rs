//! The sources of the library and of the application, without their tests.

use std::fs;
use std::path::{Path, PathBuf};

/// A file, with its path below the folder of the sources.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// The files in a folder, such as `src`, that are no tests.
pub fn sources(folder: &str) -> Vec<Source> {
    let root = testing::root().join(folder);
    let mut files = Vec::new();
    files_below(&root, &[], &mut files);
    files.retain(|file| file.extension().is_some_and(|it| it == "rs"));
    let source = |file: PathBuf| Source {
        path: file
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned(),
        text: fs::read_to_string(&file).unwrap(),
    };
    let files = files.into_iter().map(source);
    let is_test = |path: &str| path.ends_with("tests.rs") || path.contains("tests/");
    files.filter(|file| !is_test(&file.path)).collect()
}

/// Finds the files below a path, except below a file or folder with one of these names.
pub fn files_below(path: &Path, skipped: &[&str], found: &mut Vec<PathBuf>) {
    let name = path.file_name().unwrap_or_default();
    if skipped.iter().any(|it| name == *it) {
        return;
    }
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap();
        entries.for_each(|entry| files_below(&entry.unwrap().path(), skipped, found));
    } else {
        found.push(path.to_owned());
    }
}

/// The lines of a file before its tests.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.split("#[cfg(test)]\nmod tests {").next();
    text.unwrap_or_default().lines()
}

/// The lines of a file that are neither comments nor tests.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    lines(text).filter(|line| !line.trim_start().starts_with("//"))
}

/// The word after one of these beginnings, up to its end as a name.
pub fn name_after<'l>(line: &'l str, starts: &[&str]) -> Option<&'l str> {
    let rest = starts.iter().find_map(|start| line.strip_prefix(start))?;
    let end = rest.find(|it: char| !it.is_alphanumeric() && it != '_');
    Some(&rest[..end.unwrap_or(rest.len())]).filter(|name| !name.is_empty())
}
