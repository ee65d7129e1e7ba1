//! The signed cookie of express-session: `s:`, the session's id, a dot and the id's HMAC.

use std::fmt;

use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD, Engine};
use hmac::Mac;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::token::{Key, Token, TokenCodec, mac};

/// The characters that JavaScript's `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The longest id that fits the table of express-mysql-session.
const LONGEST_ID: usize = 128;

/// The secrets of the cookie: the first one signs, all of them verify.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

/// A text or a list of them, as express-session takes both.
#[derive(serde::Deserialize)]
#[serde(
    untagged,
    expecting = "one of its values is no text; write [\"…\"] with each secret in quotes"
)]
enum SecretSetting {
    One(String),
    Several(Vec<String>),
}

impl<'de> serde::Deserialize<'de> for Secrets {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match SecretSetting::deserialize(deserializer)? {
            SecretSetting::One(secret) => vec![secret],
            SecretSetting::Several(secrets) => secrets,
        }))
    }
}

impl Secrets {
    /// Returns `true` if there is a secret and none is empty.
    pub(crate) fn are_usable(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|secret| !secret.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the cookie's value.
    pub(crate) fn sign(&self, id: &str) -> String {
        let secret = self.0.first().map(String::as_str).unwrap_or_default();
        let signature = BASE64_STANDARD_NO_PAD.encode(mac(secret, id).finalize().into_bytes());
        utf8_percent_encode(&format!("s:{id}.{signature}"), COMPONENT).to_string()
    }

    /// Returns the id in a cookie's value, if one of the secrets has signed it.
    pub(crate) fn verify(&self, value: &str) -> Option<String> {
        let value = percent_decode_str(value).decode_utf8().ok()?;
        let (id, signature) = value.strip_prefix("s:")?.rsplit_once('.')?;
        // Like Node, it accepts no padding, no other alphabet and no unused bits.
        let signature = BASE64_STANDARD_NO_PAD.decode(signature).ok()?;
        let genuine = |secret: &String| mac(secret, id).verify_slice(&signature).is_ok();
        let usable = (1..=LONGEST_ID).contains(&id.len()) && self.0.iter().any(genuine);
        usable.then(|| id.to_owned())
    }
}

/// A session's key is the id in the cookie, the only one that Express has.
impl TokenCodec for Secrets {
    fn token(&self, bytes: &[u8]) -> Token {
        let id = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Token::with_key(id.clone(), Key::from_stored(id))
    }

    fn read(&self, value: &str) -> Option<Token> {
        let id = self.verify(value)?;
        Some(Token::with_key(id.clone(), Key::from_stored(id)))
    }

    fn write(&self, token: &Token) -> String {
        self.sign(token.secret())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} secrets", self.0.len())
    }
}

#[cfg(test)]
mod tests;
