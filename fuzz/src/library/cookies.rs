//! Cookies as a browser can send them.

use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::express::signature::Secrets;
use crate::request::Incoming;
use crate::token::{Token, TokenSource};

/// `Cookie` headers, one on each line.
pub fn cookie_header(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let headers: Vec<&str> = text.split('\n').collect();
    own(&headers);
    signed(&headers);
    of_any_text(headers[0]);
}

/// A token is read from nothing but its one canonical form under the one exact name, and what else
/// is in the headers makes no difference.
fn own(headers: &[&str]) {
    const NAME: &str = "__Host-id";
    let tokens = TokenSource::default();
    let read = |headers: &[&str]| Incoming::read(headers.iter().copied(), NAME, &tokens);
    let incoming = read(headers);
    let values = values(headers, NAME);
    let unanimous = values.windows(2).all(|two| two[0] == two[1]);
    let first = values.first().copied();
    let expected = first.filter(|value| unanimous && is_canonical(value));
    assert_eq!(incoming.has_cookie, first.is_some());
    let written = incoming.token.as_ref().map(|token| tokens.write(token));
    assert_eq!(written.as_deref(), expected);
    if let Some(token) = &incoming.token {
        assert_eq!(Token::parse(token.key().as_str()), None);
    }

    assert_eq!(read(&[headers, headers].concat()), incoming);
    let before = format!("a=b; {}", headers[0]);
    assert_eq!(read(&[&[&*before][..], &headers[1..]].concat()), incoming);
    let among_others = [
        &["__%48ost-id=evil; c"][..],
        headers,
        &["__host-id=evil", ""],
    ]
    .concat();
    assert_eq!(read(&among_others), incoming);
}

/// The text of a signed cookie was signed with one of the secrets.
fn signed(headers: &[&str]) {
    const NAME: &str = "connect.sid";
    let both = secrets(&["new secret", "old secret"]);
    let tokens = TokenSource::default().with_codec(std::sync::Arc::new(both.clone()));
    let incoming = Incoming::read(headers.iter().copied(), NAME, &tokens);
    let Some(token) = incoming.token else {
        return;
    };
    let came = decoded(values(headers, NAME)[0]);
    let key = token.key();
    let genuine = |secrets: &Secrets| decoded(&secrets.sign(key.as_str())) == came;
    assert!(genuine(&both) || genuine(&secrets(&["old secret"])));
    assert_eq!(tokens.parse(&tokens.write(&token)), Some(token));
}

/// Any text of the right length can be signed, comes back as it was, and verifies for nobody else
/// and after no change.
fn of_any_text(id: &str) {
    let secrets = secrets(&["new secret"]);
    let fits = (1..=128).contains(&id.len());
    let value = secrets.sign(id);
    assert_eq!(secrets.verify(&value).as_deref(), fits.then_some(id));
    let printable = |byte: u8| byte.is_ascii_graphic() && !b";,\"\\".contains(&byte);
    assert!(value.bytes().all(printable), "{value}");
    assert_eq!(self::secrets(&["another one"]).verify(&value), None);

    let mut changed = value.clone().into_bytes();
    let at = id.len() % changed.len();
    changed[at] ^= 1;
    let changed = String::from_utf8(changed).unwrap();
    if decoded(&changed) != decoded(&value) {
        assert_eq!(secrets.verify(&changed), None, "{changed}");
    }
}

/// The values under a name, found by the places where a pair can begin.
fn values<'h>(headers: &[&'h str], name: &str) -> Vec<&'h str> {
    let opening = format!("{name}=");
    let mut values = Vec::new();
    for &header in headers {
        let semicolons = header.match_indices(';').map(|(at, _)| at + 1);
        for at in std::iter::once(0).chain(semicolons) {
            let space = usize::from(at > 0 && header[at..].starts_with(' '));
            if let Some(rest) = header[at + space..].strip_prefix(&opening) {
                values.push(rest.split(';').next().unwrap());
            }
        }
    }
    values
}

/// 32 bytes in 43 characters of base64url, of which the last one has four bits that say something.
fn is_canonical(value: &str) -> bool {
    const LAST: &str = "AEIMQUYcgkosw048";
    value.len() == 43
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        && value.ends_with(|last| LAST.contains(last))
}

fn secrets(secrets: &[&str]) -> Secrets {
    serde_json::from_value(json!(secrets)).unwrap()
}

fn decoded(value: &str) -> Vec<u8> {
    percent_decode_str(value).collect()
}
