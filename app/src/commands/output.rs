//! Where the answer of a command goes: a table for people, or JSON for programs.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};

use chrono::{DateTime, Utc};
use rocket::serde::json::{self, Value, json};
use rocket_diesel_session::Device;

use super::words;
use crate::agent;

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

    /// The whole answer, for programs and for people.
    pub(super) fn answer(&mut self, json: &Value, text: impl Display) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{json}")
        } else {
            writeln!(self.out, "{text}")
        }
    }

    /// Begins a list of sessions, which are written as they come.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        if self.json {
            return write!(self.out, "[");
        }
        let titles = ["KEY", "LAST USED", "SIGNED IN", "ENDS", "BROWSER", "USER"];
        self.row(titles)
    }

    pub(super) fn session(
        &mut self,
        device: &Device,
        emails: &HashMap<String, String>,
    ) -> io::Result<()> {
        let user = device.user_id.as_ref();
        let email = user.and_then(|id| emails.get(id));
        if self.json {
            let separator = if self.rows == 0 { "" } else { "," };
            self.rows += 1;
            return write!(self.out, "{separator}\n{}", document(device, email));
        }
        self.row([
            device.key.short(),
            &words::ago(self.now - device.seen_at),
            &words::ago(self.now - device.signed_in_at),
            &words::ahead(device.expires_at - self.now),
            &agent::in_words(device.user_agent.as_deref()),
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

    /// The last column may be as wide as it likes, so that no row has to wait for a wider one.
    fn row(&mut self, cells: [&str; 6]) -> io::Result<()> {
        let [key, used, signed_in, ends, browser, user] = cells;
        writeln!(
            self.out,
            "{key:8}  {used:12}  {signed_in:12}  {ends:10}  {browser:18}  {user}"
        )
    }
}

fn document(device: &Device, email: Option<&String>) -> Value {
    let mut document = json::to_value(device).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("current");
        fields.insert("email".into(), json!(email));
    }
    document
}
