//! Servers and files that `testing/provide.sh` provides for all tests.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// The value of `name`, such as `TEST_MYSQL_URL`, which the script gives once `what` is there.
pub fn provided(what: &str, name: &str) -> String {
    let running = || root().join(".servers");
    let folder = env::var_os("TEST_SERVERS").map_or_else(running, PathBuf::from);
    assert!(
        folder.exists(),
        "this test needs {what}: run ./test.sh, or ./test.sh servers first"
    );
    let find = || {
        let addresses = fs::read_to_string(folder.join("addresses")).unwrap_or_default();
        let mut values = addresses.lines().filter_map(|line| line.split_once('='));
        values
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    };
    find().unwrap_or_else(|| {
        let mut script = Command::new(root().join("testing/provide.sh"));
        let done = script.arg(&folder).arg(what).output().unwrap();
        assert!(done.status.success(), "{what}: {done:?}");
        find().unwrap()
    })
}
