//! Detects that another program has truncated the write-ahead log of an SQLite file.
//!
//! After its own truncation, SQLite writes a new header (sqlite.org/walformat.html). After another
//! program's, it keeps writing at its old place, and those writes are lost.

use std::fs::File;
use std::io::Read;
use std::path::Path;

const MAGIC: [u32; 2] = [0x377f_0682, 0x377f_0683];

#[derive(Default)]
pub(super) struct LogLength {
    last: u64,
    was_cut: bool,
}

impl LogLength {
    /// Returns `true` if the log, which has this length now, lacks its header.
    pub(super) fn lacks_header(&mut self, log: &Path, now: u64) -> bool {
        self.was_cut |= now < self.last;
        self.last = now;
        self.was_cut &= now == 0 || !has_header(log);
        self.was_cut && now > 0
    }
}

/// A log, unlike its database, has no locks that closing it would give up.
fn has_header(log: &Path) -> bool {
    let mut magic = [0; 4];
    let read = File::open(log).and_then(|mut log| log.read_exact(&mut magic));
    read.is_err() || MAGIC.contains(&u32::from_be_bytes(magic))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use std::fs;

    use super::*;

    #[test]
    fn a_log_that_is_cut_off_has_to_begin_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut length = LogLength::default();
        let mut lacks_header = |content: &[u8]| {
            fs::write(file.path(), content).unwrap();
            length.lacks_header(file.path(), content.len() as u64)
        };
        let begun = [0x37, 0x7f, 0x06, 0x82, 1, 2, 3, 4];
        assert!(!lacks_header(&begun));
        assert!(!lacks_header(&[]));
        assert!(!lacks_header(&begun[..6]));
        assert!(!lacks_header(&begun));
        assert!(!lacks_header(&[]));
        assert!(lacks_header(&[0; 12]));
        assert!(lacks_header(&[0; 16]));
        assert!(!lacks_header(&begun));
    }
}
