//! Creates a private certificate authority and the certificates that it signs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Creates `ca.crt` in a folder, and `NAME.crt` and `NAME.key` for a server with these names,
/// such as `DNS:example.org` or `IP:127.0.0.1`.
pub fn certify(folder: &Path, name: &str, names: &str) {
    let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    openssl(
        folder,
        &format!("{make} -keyout ca.key -out ca.crt -subj /CN=authority"),
    );
    openssl(
        folder,
        &format!(
            "{make} -keyout {name}.key -out {name}.crt -subj /CN={name} -CA ca.crt -CAkey ca.key \
             -addext basicConstraints=critical,CA:FALSE -addext subjectAltName={names}"
        ),
    );
}

/// Puts certificate and key into one file, as HAProxy needs them.
pub fn together(folder: &Path, name: &str) -> PathBuf {
    let [certificate, key] = ["crt", "key"].map(|kind| {
        let part = folder.join(format!("{name}.{kind}"));
        fs::read_to_string(part).unwrap()
    });
    let both = folder.join(format!("{name}.pem"));
    fs::write(&both, certificate + &key).unwrap();
    both
}

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments.split(' '));
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
}
