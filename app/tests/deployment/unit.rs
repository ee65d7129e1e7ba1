//! Checks the unit of systemd.

use std::fs;
use std::process::{Command, Output};

use testing::root;
use testing::server::built;

const UNIT: &str = "rocket_diesel_session.service";

#[test]
#[ignore = "needs systemd: run ./test.sh"]
fn the_unit_is_valid_and_leaves_the_program_little() {
    let shipped = fs::read_to_string(root().join("deploy").join(UNIT)).unwrap();
    let program = built("rocket_diesel_session").display().to_string();
    let unit = shipped.replace("/usr/local/bin/rocket_diesel_session", &program);
    assert_ne!(unit, shipped);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(UNIT);
    fs::write(&file, unit).unwrap();
    let analyze = |arguments: &[&str]| -> Output {
        let mut command = Command::new("systemd-analyze");
        command.args(arguments).arg(&file).output().unwrap()
    };
    let verified = analyze(&["verify"]);
    let complaints = String::from_utf8(verified.stderr).unwrap();
    // Others are of units of this machine.
    let ours: Vec<_> = complaints
        .lines()
        .filter(|line| line.contains(UNIT))
        .collect();
    assert_eq!(ours, [""; 0]);
    let security = analyze(&["security", "--offline=true", "--threshold=20"]);
    assert!(security.status.success(), "{security:?}");
}
