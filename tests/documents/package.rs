//! A new package with the code blocks of a document.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The first block of a document that begins like this, without its fence.
pub fn block<'a>(document: &'a str, beginning: &str) -> &'a str {
    let at = document
        .find(beginning)
        .unwrap_or_else(|| panic!("no block begins with {beginning:?}"));
    let (_, block) = document[at..].split_once('\n').unwrap();
    block.split_once("```").unwrap().0
}

/// The lines of a block that a reader sees.
pub fn shown(block: &str) -> String {
    let is_hidden = |line: &str| line == "#" || line.starts_with("# ");
    let shown = block.lines().filter(|line| !is_hidden(line));
    shown.map(|line| format!("{line}\n")).collect()
}

pub fn run(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let (output, errors) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    assert!(status.success(), "{command:?}: {output}{errors}");
    output.into_owned()
}

pub struct Package {
    name: &'static str,
    pub folder: PathBuf,
}

impl Package {
    /// Makes a package beside a folder with the name of this repository.
    pub fn new(parent: &Path, name: &'static str) -> Self {
        let folder = parent.join(name);
        run(Command::new("cargo")
            .args(["new", "--quiet", "--vcs", "none"])
            .arg(&folder));
        symlink(testing::root(), parent.join("rocket_diesel_session")).unwrap();
        let package = Self { name, folder };
        let versions = testing::root().join("Cargo.lock");
        fs::copy(versions, package.path("Cargo.lock")).unwrap();
        package
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes what comes after the table `[dependencies]`, which is the last one and empty.
    pub fn depend_on(&self, text: &str) {
        let manifest = fs::read_to_string(self.path("Cargo.toml")).unwrap();
        assert!(manifest.ends_with("[dependencies]\n"), "{manifest}");
        self.write("Cargo.toml", &(manifest + text));
    }

    /// Runs `build` or `test` with the versions, profiles and folder of this repository, so that
    /// only what differs is compiled.
    pub fn cargo(&self, verb: &str) {
        run(Command::new("cargo")
            .current_dir(&self.folder)
            .args([verb, "--quiet", "--offline", "--target-dir"])
            .arg(testing::root().join("target"))
            .args(["--config", "profile.dev.package.'*'.debug=false"])
            .args(["--config", "profile.dev.package.pbkdf2.opt-level=3"])
            .args(["--config", "profile.dev.package.sha2.opt-level=3"]));
    }

    /// The program, where another build of the same name does not replace it.
    pub fn built(&self) -> Command {
        self.cargo("build");
        let program = self.path("program");
        let target = testing::root().join("target/debug").join(self.name);
        fs::copy(target, &program).unwrap();
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        command
    }
}
