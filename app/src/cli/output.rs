//! Writes the answer of a command: a table for people, or JSON for programs.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};

use chrono::{DateTime, Utc};
use rocket::serde::json::{self, Value, json};
use rocket_diesel_session::SessionInfo;

use crate::web::{browser_name, time_text};

pub(super) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    rows: u64,
    now: DateTime<Utc>,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self {
            out: BufWriter::new(io::stdout().lock()),
            json,
            rows: 0,
            now: Utc::now(),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes the whole answer.
    pub(super) fn answer(&mut self, json: &Value, text: impl Display) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", escaped(json))
        } else {
            writeln!(self.out, "{text}")
        }
    }

    /// Begins a list of sessions, which are written one by one.
    pub(super) fn begin(&mut self, now: DateTime<Utc>) -> io::Result<()> {
        self.now = now;
        if self.json {
            return write!(self.out, "[");
        }
        let titles = ["KEY", "LAST USED", "SIGNED IN", "ENDS", "BROWSER", "USER"];
        self.row(titles)
    }

    pub(super) fn session(
        &mut self,
        device: &SessionInfo,
        emails: &HashMap<String, String>,
    ) -> io::Result<()> {
        let user = device.user_id.as_ref();
        let email = user.and_then(|id| emails.get(id));
        if self.json {
            let separator = if self.rows == 0 { "" } else { "," };
            self.rows += 1;
            let document = document(device, email);
            return write!(self.out, "{separator}\n{}", escaped(&document));
        }
        self.row([
            device.key.short(),
            &time_text::ago(self.now - device.seen_at),
            &time_text::ago(self.now - device.signed_in_at),
            &time_text::ahead(device.expires_at - self.now),
            &browser_name::in_words(device.user_agent.as_deref()),
            email.or(user).map_or("-", String::as_str),
        ])
    }

    pub(super) fn end(&mut self) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "\n]")
        } else {
            Ok(())
        }
    }

    /// Writes a row. The last column has no width, so that no row waits for a wider one.
    fn row(&mut self, cells: [&str; 6]) -> io::Result<()> {
        let [key, used, signed_in, ends, browser, user] = cells;
        writeln!(
            self.out,
            "{key:8}  {used:12}  {signed_in:12}  {ends:10}  {browser:18}  {user}"
        )
    }
}

/// Escapes characters in strings that JSON allows but terminals obey, or that reverse a text.
fn escaped(json: &Value) -> String {
    let unseen = |letter| {
        matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
    };
    let mut escaped = String::new();
    for letter in json.to_string().chars() {
        match letter.is_control() || unseen(letter) {
            true => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    escaped += &format!("\\u{unit:04x}");
                }
            }
            false => escaped.push(letter),
        }
    }
    escaped
}

fn document(device: &SessionInfo, email: Option<&String>) -> Value {
    let mut document = json::to_value(device).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("current");
        fields.insert("email".into(), json!(email));
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_document_has_characters_that_a_terminal_obeys() {
        let all = ('\0'..='\u{3000}').chain(['\u{feff}', '\u{e0041}']);
        let all: String = all.collect();
        let text = escaped(&json!({ &all: [all] }));
        let obeyed = |letter: char| {
            letter.is_control()
                || ('\u{200e}'..='\u{202e}').contains(&letter)
                    && !('\u{2010}'..='\u{2027}').contains(&letter)
                || ['\u{61c}', '\u{feff}', '\u{e0041}'].contains(&letter)
        };
        assert!(!text.contains(obeyed), "{text:?}");
        let read: Value = json::from_str(&text).unwrap();
        assert_eq!(read[&all][0], all);
    }
}
