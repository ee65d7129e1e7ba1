//! Creates the file of an SQLite database, and finds the rights of others to it.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Creates the file for this account alone. SQLite gives its other files, `-wal` and `-shm`, the mode of this one. A file that is there is not
/// opened: see `writable` in `engine/database/file.rs`.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        file => file?,
    };
    // An umask takes rights away, perhaps those of the owner.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(file);
    Ok(())
}

/// Returns `true` if the URI does not decide how its file is created.
pub(super) fn is_made(url: &str) -> bool {
    let uri = url.strip_prefix("file:").unwrap_or_default();
    let (_, query) = uri.split_once('?').unwrap_or_default();
    let mut parameters = query
        .split(['&', '#'])
        .map(|it| it.split_once('=').unwrap_or((it, "")));
    parameters.all(|(name, value)| match name {
        "mode" => value == "rwc",
        "modeof" | "vfs" | "immutable" => false,
        _ => !name.contains('%'),
    })
}

/// Returns what every account of this machine may do with the file, and the mode that takes it away.
pub(crate) fn open_to_all(path: &Path) -> Option<(&'static str, &'static str)> {
    #[cfg(unix)]
    {
        use std::fs;
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).map_or(0, |it| it.permissions().mode());
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut folders = real.ancestors().skip(1);
        match mode(&real) & 0o006 {
            _ if folders.any(|folder| mode(folder) & 0o001 == 0) => None,
            0o006 => Some(("read and write", "o-rw")),
            0o004 => Some(("read", "o-r")),
            0o002 => Some(("write", "o-w")),
            _ => None,
        }
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_unless_its_uri_says_otherwise() {
        for (url, expected) in [
            ("app.db", true),
            ("file:app.db", true),
            ("file:app.db?mode=rwc", true),
            ("file:app.db?cache=private&mode=rwc", true),
            ("file:app.db?mode=rw", false),
            ("file:app.db?cache=private&mode=ro", false),
            ("file:app.db?modeof=other.db", false),
            ("file:app.db?%6dode=rw", false),
        ] {
            assert_eq!(is_made(url), expected, "{url}");
        }
    }
}
