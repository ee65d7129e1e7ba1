//! The log, which a process has only once.

use std::env;
use std::process::Command;

/// Returns what `act`, the rest of the test `name`, has logged at Rocket's level `critical`, in a
/// process of its own. In that process it returns `None`.
pub fn log_of(name: &str, act: impl FnOnce(&str)) -> Option<String> {
    const INSIDE: &str = "TEST_LOGS_HERE";
    if env::var_os(INSIDE).is_some() {
        act("critical");
        return None;
    }
    let mut test = Command::new(env::current_exe().unwrap());
    test.args(["--exact", name, "--nocapture"]);
    test.env(INSIDE, "").env("ROCKET_CLI_COLORS", "false");
    let output = test.output().unwrap();
    let log = [output.stdout, output.stderr].concat();
    let log = String::from_utf8(log).unwrap();
    assert!(output.status.success(), "{log}");
    assert!(log.contains("1 passed"), "no test {name}: {log}");
    Some(log)
}
