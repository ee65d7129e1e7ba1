//! The inputs that fuzzing found interesting, for ordinary tests.

use std::fs;

use crate::root;

/// Runs a target over all files of its corpus.
pub fn replay(name: &str, mut target: impl FnMut(&[u8])) {
    let corpus = root().join("fuzz/corpus");
    let files = fs::read_dir(corpus.join(name)).unwrap();
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        // Shown by the test runner where the target fails.
        eprintln!("{}", path.display());
        target(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count > 0, "the corpus of {name} is empty");
}
