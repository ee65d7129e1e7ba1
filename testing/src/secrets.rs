//! Tokens and passwords of the tests: at the end, `./test.sh` searches for them in all that servers and
//! applications wrote.

use std::cell::RefCell;
use std::env;
use std::fs::File;
use std::io::Write;
use std::ops::RangeInclusive;

use tempfile::Builder;

/// Names the file that has one of them on each line.
const LIST: &str = "TEST_SECRETS";

/// In bytes: what is shorter might stand anywhere, and what is longer is slow to look for.
const LENGTHS: RangeInclusive<usize> = 15..=128;

thread_local! {
    static NOTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Has a text looked for.
pub fn note(secret: &str) {
    if !LENGTHS.contains(&secret.len()) {
        return;
    }
    NOTED.with_borrow_mut(|noted| noted.push(secret.to_owned()));
    let Some(list) = env::var_os(LIST) else {
        return;
    };
    let mut list = File::options().append(true).open(list).unwrap();
    // In one piece, since many tests write at once.
    list.write_all(format!("{secret}\n").as_bytes()).unwrap();
}

/// The secrets that the test of this thread has noted so far.
pub fn noted() -> Vec<String> {
    NOTED.with_borrow(Vec::clone)
}

/// Notes what the cookie of a `Set-Cookie` line holds.
pub fn note_cookie(line: &str) {
    let (cookie, _) = line.split_once(';').unwrap_or((line, ""));
    note(cookie.split_once('=').unwrap().1);
}

/// The tokens of a page's forms.
pub fn csrf_tokens(page: &str) -> impl Iterator<Item = &str> {
    let rests = page.split(r#"name="_token" value=""#).skip(1);
    rests.map(|rest| rest.split('"').next().unwrap())
}

pub fn note_csrf_tokens(page: &str) {
    csrf_tokens(page).for_each(note);
}

/// Notes the passwords among the fields of a form that was accepted.
pub fn note_passwords(fields: &[(&str, &str)]) {
    for (name, value) in fields {
        if ["password", "current", "new"].contains(name) {
            note(value);
        }
    }
}

/// Makes files that outlive their test where they are to be looked through.
pub fn temporary() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.disable_cleanup(env::var_os(LIST).is_some());
    builder
}
