//! Runs commands without a database, as in a shell without the server's variables.

use std::fs;

use super::program::run_with;

#[test]
fn a_command_makes_no_database_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.db").display().to_string();
    for url in [
        format!("sqlite:{file}"),
        format!("sqlite://{file}"),
        file.clone(),
    ] {
        for arguments in [
            &["sessions", "count"][..],
            &["sessions", "list"],
            &["sessions", "list", "--user", "ada@example.org"],
            &["sessions", "cleanup"],
            &["sessions", "revoke", "--all", "--yes"],
            &["users", "disable", "ada@example.org"],
            &["users", "enable", "ada@example.org"],
        ] {
            let line = run_with(&url, arguments, &[]).refused(1);
            let names = format!("its file {file} does not exist");
            assert!(line.contains(&names), "{arguments:?}: {line}");
        }
        let check = run_with(&url, &["sessions", "check"], &[]);
        assert_eq!(check.code, 1, "{check:?}");
        assert!(check.stdout.contains("does not exist"), "{check:?}");
        let made = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(made, 0, "{url}");
    }
}
