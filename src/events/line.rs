//! Writes an event as one line of JSON.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Returns the level that OWASP's vocabulary gives an event, and "warn" for others.
pub(super) fn level(event: &str) -> &'static str {
    match event {
        "authn_login_success"
        | "authn_login_successafterfail"
        | "authn_password_change"
        | "session_created"
        | "session_renewed"
        | "session_expired"
        | "session_logout" => "info",
        "authn_password_change_fail"
        | "authz_fail"
        | "malicious_csrf"
        | "malicious_direct_reference"
        | "store_unavailable" => "critical",
        _ => "warn",
    }
}

/// Returns a line with the present members of `fields`, and then those of `details` if it is an object.
/// A member of `details` replaces a field of the same name.
pub(super) fn line<const N: usize>(
    fields: [(&'static str, Option<Value>); N],
    details: &Value,
) -> String {
    let none = Map::new();
    let details = details.as_object().unwrap_or(&none);
    let fields = fields.into_iter();
    let fields = fields.filter(|(name, _)| !details.contains_key(*name));
    let fields = fields.filter_map(|(name, value)| Some(member(name, &value?)));
    let details = details.iter().map(|(name, value)| member(name, value));
    let members: Vec<_> = fields.chain(details).collect();
    escaped(&format!("{{{}}}", members.join(","))) + "\n"
}

fn member(name: &str, value: &Value) -> String {
    format!("{}:{value}", Value::from(name))
}

/// Escapes the characters at which a terminal, an editor or a program may begin a new line or change the
/// direction. JSON permits them, and only in strings.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + 1);
    for letter in json.chars() {
        match letter {
            _ if is_unseen(letter) => escape(&mut escaped, letter),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Returns `true` for control characters, line separators and Unicode's format characters.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

fn escape(text: &mut String, letter: char) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let _ = write!(text, "\\u{unit:04x}");
    }
}
