//! Checks of an SQLite file before it is opened.

use std::io;
use std::path::{Path, absolute};

use crate::error::{Error, require};

/// Refuses a file that SQLite cannot write, before SQLite creates other files beside it with the same
/// permissions.
pub(super) fn check(path: &Path, is_made: bool) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    require(folder.is_dir(), || {
        format!(
            "the folder {} of its file does not exist; make it, or name another one in its url",
            folder.display()
        )
    })?;
    require(is_made || path.exists(), || {
        format!(
            "its file {} does not exist; check the path in its url, or have the application make it: start it with \
             session.create_table or session.migrate",
            absolute(path).unwrap_or_else(|_| path.to_owned()).display()
        )
    })?;
    let writable = match path.exists() {
        true => writable(path),
        false => Ok(()),
    };
    writable.map_err(|error| {
        Error::configuration(format!(
            "its file {0} cannot be written: {error}; the application needs the right to write it, its folder, \
             and {0}-wal and {0}-shm where they are there",
            path.display()
        ))
    })
}

/// Does not open the file: a process that closes a file loses all its locks on it (POSIX, `fcntl`), and
/// another pool of the application may hold SQLite's locks.
#[cfg(unix)]
fn writable(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
}

#[cfg(not(unix))]
fn writable(path: &Path) -> io::Result<()> {
    std::fs::OpenOptions::new()
        .append(true)
        .open(path)
        .map(drop)
}
