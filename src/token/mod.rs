//! The browser's [`Token`], and the [`Key`] under which a store keeps the session.

mod codec;

use std::fmt;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub(crate) use self::codec::{TokenCodec, TokenSource};
use crate::error::Error;

/// The secret that a browser holds: 256 random bits as 43 characters of base64url, unless
/// [`Sessions::with_token_generator`](crate::Sessions::with_token_generator) decides otherwise.
///
/// It goes to the client, in a cookie or as a bearer token, and nowhere else. A store only ever sees its
/// [`Key`].
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: String,
    key: Key,
}

impl Token {
    /// Draws a new token from the operating system's generator.
    ///
    /// # Errors
    ///
    /// Fails if the operating system provides no random bytes.
    pub fn generate() -> Result<Self, Error> {
        random().map(|bytes| Self::of(&bytes))
    }

    /// Reads a token as a browser sent it; returns `None` unless it is in canonical form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text, BYTES)
    }

    fn parse_bytes(text: &str, count: usize) -> Option<Self> {
        // 43 characters hold two bits more than 32 bytes: the decoder refuses them unless zero.
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == count).then(|| Self::of(&bytes))
    }

    fn of(bytes: &[u8]) -> Self {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let key = Key::hash(&secret);
        Self { secret, key }
    }

    /// Makes a token whose key another format decides.
    pub(crate) fn with_key(secret: String, key: Key) -> Self {
        Self { secret, key }
    }

    /// Returns the key under which a store keeps the session of this token.
    pub fn key(&self) -> Key {
        self.key.clone()
    }

    /// Returns the secret, for the client alone.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns a code for one purpose that proves knowledge of this token without showing it.
    pub(crate) fn code(&self, purpose: &str) -> Hmac<Sha256> {
        mac(&self.secret, purpose)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(..)")
    }
}

/// The default length of a token, in bytes.
const BYTES: usize = 32;

pub(crate) fn random() -> Result<[u8; BYTES], Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::unavailable("the operating system provided no random bytes for a token")
            .with_source(cause)
    })?;
    Ok(bytes)
}

/// Returns the HMAC of a text, to finish or to compare.
pub(crate) fn mac(secret: &str, text: &str) -> Hmac<Sha256> {
    #[allow(
        clippy::expect_used,
        reason = "HMAC takes a key of any length (RFC 2104)"
    )]
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.chain_update(text)
}

/// Returns bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|it| char::from(DIGITS[usize::from(it)]))
        .collect()
}

/// The SHA-256 of a [`Token`] as 64 lower-case hexadecimal digits.
///
/// A copy of the sessions table does not let anyone sign in, because a hash cannot be reversed. With
/// another `session.format` than `native`, the key is the token itself, and a copy of the table does
/// not suffice because the cookie is signed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    fn hash(secret: &str) -> Self {
        Self(hex(&Sha256::digest(secret.as_bytes())))
    }

    /// Returns the key with this text, as a store keeps it.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the whole key, for a store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first 8 characters, which distinguish sessions on a page or in a log.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({}..)", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_43_characters_and_reads_back() {
        let token = Token::generate().unwrap();
        assert_eq!(token.secret.len(), 43);
        assert_eq!(Token::parse(&token.secret), Some(token));
    }

    #[test]
    fn only_the_canonical_form_is_a_token() {
        let good = "A".repeat(43);
        assert!(Token::parse(&good).is_some());
        let b = |last: &str| format!("{}{last}", "A".repeat(42));
        for bad in [
            String::new(),
            "\"\"".into(),
            format!("\"{good}\""),
            "A".repeat(42),
            "A".repeat(44),
            format!("{good}="),
            format!("{good} "),
            format!("{good}\t"),
            format!("%41{}", "A".repeat(42)),
            b("B"),
            b("+"),
            b("/"),
            b("\0"),
            b("é"),
            "' OR 1=1--".into(),
            "a".repeat(400 * 1024),
        ] {
            assert_eq!(Token::parse(&bad), None, "{bad:.60}");
        }
    }

    #[test]
    fn a_key_is_the_sha_256_of_the_token_and_is_no_token() {
        let key = Token::parse(&"A".repeat(43)).unwrap().key();
        // printf A…A | sha256sum
        assert_eq!(
            key.as_str(),
            "0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a"
        );
        assert_eq!(Token::parse(key.as_str()), None);
        assert_eq!(key.short(), &key.as_str()[..8]);
    }

    /// A mistake in the alphabet once halved it.
    #[test]
    fn rustsec_2024_0343_tokens_use_all_characters_at_every_place_alike() {
        const TOKENS: usize = 50_000;
        let mut counts = [[0_u32; 128]; 43];
        let mut seen = std::collections::HashSet::new();
        for _ in 0..TOKENS {
            let token = Token::generate().unwrap();
            for (place, byte) in token.secret.bytes().enumerate() {
                counts[place][usize::from(byte)] += 1;
            }
            assert!(seen.insert(token.secret), "drawn twice");
        }
        for (place, counts) in counts.iter().enumerate() {
            let used = counts.iter().filter(|count| **count > 0).count();
            // The last one holds four bits.
            assert_eq!(used, if place == 42 { 16 } else { 64 }, "at {place}");
            let expected = TOKENS as f64 / used as f64;
            let of = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
            let deviation: f64 = counts.iter().filter(|count| **count > 0).map(of).sum();
            // With 63 degrees of freedom, chance alone gets there once in 10^13 times.
            assert!(deviation < 180.0, "{deviation} at {place}");
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let token = Token::generate().unwrap();
        assert_eq!(format!("{token:?}"), "Token(..)");
        assert!(!format!("{:?}", token.key()).contains(token.key().as_str()));
    }
}
