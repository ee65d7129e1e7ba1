//! The commands of `app/README.md` work as they are written.

use std::fs;
use std::process::Command;

use testing::application::Application;
use testing::database::sqlite;

#[test]
fn the_commands_of_the_readme_work() {
    let database = sqlite();
    let application = Application::start(&database);
    let text = fs::read_to_string(testing::root().join("app/README.md")).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let commands: String = blocks.map(|it| it.split("```").next().unwrap()).collect();
    let commands = commands.replace("http://127.0.0.1:8000", &application.base);
    assert!(
        commands.matches(&application.base).count() == 1,
        "{commands}"
    );

    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-euxo", "pipefail", "-c", &commands]);
    let done = shell.current_dir(folder.path()).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let output = String::from_utf8(done.stdout).unwrap();
    for words in ["Lovelace", "\"current\":true"] {
        assert!(output.contains(words), "{words} in {output}");
    }
}
