//! Detects that the file of an SQLite database was deleted or replaced.
//!
//! SQLite keeps using such a file, and acknowledges writes that are lost.

use std::fs;
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file_rights::{is_made, make};
use super::log_length::LogLength;

/// The file of a URL, which all connections to it watch; empty if the database is a server.
#[derive(Clone, Default)]
pub(crate) struct DatabaseFile(Option<Arc<Watched>>);

struct Watched {
    path: PathBuf,
    /// A missing file is created.
    is_made: bool,
    seen: Mutex<FileState>,
}

#[derive(Default)]
struct FileState {
    file: Option<Identity>,
    /// Beside the file itself, wherever a link leads.
    log_path: PathBuf,
    /// The write-ahead log, which stays the same as long as there is a connection.
    log: Option<Identity>,
    length: LogLength,
    connections: u32,
    is_warned: bool,
}

/// The device and number of a file, which its name does not change.
type Identity = (u64, u64);

impl DatabaseFile {
    /// Returns the file `path` of a URL.
    pub(crate) fn at(path: Option<PathBuf>, url: &str) -> Self {
        Self(path.map(|path| {
            Arc::new(Watched {
                path,
                is_made: is_made(url),
                seen: Mutex::default(),
            })
        }))
    }

    /// Fails if the file is not the one that was opened; logs the remedy.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.0.as_deref().map_or(Ok(()), Watched::check)
    }

    /// Creates the file with rights for this account alone, before the first connection does.
    pub(super) fn make(&self) -> Result<(), String> {
        match &self.0 {
            Some(watched) if watched.is_made && watched.seen().file.is_none() => {
                make(&watched.path).map_err(|error| watched.unmade(&error))
            }
            _ => Ok(()),
        }
    }

    /// Counts a connection until the result is dropped.
    pub(super) fn connected(&self) -> Connected {
        if let Some(watched) = &self.0 {
            watched.seen().connections += 1;
        }
        Connected(self.clone())
    }
}

/// A connection to the file, as far as it is counted. To be dropped before it: with the last one,
/// SQLite deletes the log.
pub(super) struct Connected(DatabaseFile);

impl Connected {
    pub(super) fn check(&self) -> Result<(), String> {
        self.0.check()
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        if let Some(watched) = &self.0.0 {
            let mut seen = watched.seen();
            seen.connections -= 1;
            if seen.connections == 0 {
                seen.log = None;
                seen.length = LogLength::default();
            }
        }
    }
}

impl Watched {
    fn unmade(&self, error: &io::Error) -> String {
        let path = absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        format!(
            "the file {} cannot be created: {error}; let the application write its folder, or name another one in its url",
            path.display()
        )
    }

    fn seen(&self) -> MutexGuard<'_, FileState> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs the remedy once, and returns the error each time.
    fn check(&self) -> Result<(), String> {
        let mut seen = self.seen();
        let Err((happened, remedy)) = self.look(&mut seen) else {
            seen.is_warned = false;
            return Ok(());
        };
        if !seen.is_warned {
            seen.is_warned = true;
            log::error!(
                "{happened} while the application used it, so nothing is saved any more; {remedy}"
            );
        }
        Err(happened)
    }

    fn look(&self, seen: &mut FileState) -> Result<(), (String, String)> {
        let (path, is_new) = (self.path.display(), seen.file.is_none());
        let file = found(&self.path).map(|it| it.map(|(identity, _)| identity));
        compare(&mut seen.file, file).map_err(|what| {
            let remedy = format!(
                "put the same file back, or stop the application, delete {path}-wal and {path}-shm unless \
                 they belong to the file that is there, and start it again"
            );
            (format!("the database file {path} was {what}"), remedy)
        })?;
        if is_new {
            seen.log_path = log_path(&self.path);
        }
        if seen.connections == 0 {
            return Ok(());
        }
        let log = found(&seen.log_path);
        let length = log.ok().flatten().map_or(0, |(_, length)| length);
        let log = log.map(|it| it.map(|(identity, _)| identity));
        compare(&mut seen.log, log).map_err(|what| {
            let remedy = format!(
                "stop the application with SIGTERM, which writes to {path} what the log held, and start \
                 it again"
            );
            (
                format!("the write-ahead log {path}-wal was {what}"),
                remedy,
            )
        })?;
        match seen.length.lacks_header(&seen.log_path, length) {
            false => Ok(()),
            true => Err((
                format!("the write-ahead log {path}-wal was cut off"),
                format!(
                    "end the application with SIGKILL, since SIGTERM would write the rest of the log to {path}; \
                     keep {path}, delete {path}-wal and {path}-shm, and start it again"
                ),
            )),
        }
    }
}

fn log_path(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = real.into_os_string();
    name.push("-wal");
    name.into()
}

/// Remembers the first file; fails with what happened to it if a later one differs.
fn compare(
    seen: &mut Option<Identity>,
    found: Result<Option<Identity>, ()>,
) -> Result<(), &'static str> {
    match (*seen, found) {
        (None, Ok(found)) => *seen = found,
        (Some(_), Ok(None)) => return Err("deleted or moved"),
        (Some(before), Ok(Some(now))) if before != now => return Err("replaced"),
        _ => {}
    }
    Ok(())
}

/// Returns identity and length of a file; `None` if there is none. Fails if they cannot be read.
fn found(path: &Path) -> Result<Option<(Identity, u64)>, ()> {
    #[cfg(unix)]
    match fs::metadata(path) {
        Ok(file) => {
            use std::os::unix::fs::MetadataExt;
            Ok(Some(((file.dev(), file.ino()), file.len())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) => Err(()),
    }
    #[cfg(not(unix))]
    Err(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use super::*;

    fn replace(path: &Path) {
        let other = path.with_extension("other");
        fs::write(&other, "").unwrap();
        fs::rename(other, path).unwrap();
    }

    #[test]
    fn a_log_may_change_while_nobody_is_connected_and_the_file_never() {
        let folder = tempfile::tempdir().unwrap();
        let [real, link, log] = ["app.db", "link", "app.db-wal"].map(|it| folder.path().join(it));
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let file = DatabaseFile::at(Some(link), "link");
        file.check().unwrap();
        fs::write(&real, "").unwrap();
        let connected = file.connected();
        fs::write(&log, "").unwrap();
        file.check().unwrap();
        replace(&log);
        assert!(file.check().unwrap_err().contains("-wal was replaced"));
        drop((file.connected(), connected));
        let connected = file.connected();
        file.check().unwrap();
        fs::remove_file(&log).unwrap();
        assert!(file.check().unwrap_err().contains("-wal was deleted"));
        drop(connected);
        file.check().unwrap();

        let away = folder.path().join("away");
        fs::rename(&real, &away).unwrap();
        assert!(file.check().unwrap_err().contains("was deleted or moved"));
        fs::write(&real, "").unwrap();
        assert!(file.check().unwrap_err().contains("was replaced"));
        fs::rename(&away, &real).unwrap();
        file.check().unwrap();
    }
}
