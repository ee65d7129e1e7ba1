//! The format of the tokens of one application: how they are drawn, read from cookies and written.

use std::fmt;
use std::sync::Arc;

use super::{Token, random};
use crate::error::{Error, require};

/// Turns tokens into the values of cookies, and back.
pub(crate) trait TokenCodec: Send + Sync {
    /// Makes a token of a new random secret.
    fn token(&self, bytes: &[u8]) -> Token;

    /// Reads a cookie's value; returns `None` unless this application can have set it.
    fn read(&self, value: &str) -> Option<Token>;

    /// Returns the cookie's value, which holds the secret.
    fn write(&self, token: &Token) -> String;
}

/// Writes the secret of this many bytes as it is, and hashes it for the key.
struct Native(usize);

impl TokenCodec for Native {
    fn token(&self, bytes: &[u8]) -> Token {
        Token::of(bytes)
    }

    fn read(&self, value: &str) -> Option<Token> {
        Token::parse_bytes(value, self.0)
    }

    fn write(&self, token: &Token) -> String {
        token.secret.clone()
    }
}

type Draw = dyn Fn(&dyn TokenCodec) -> Result<Token, Error> + Send + Sync;

/// Draws, reads and writes the tokens of an application.
#[derive(Clone)]
pub(crate) struct TokenSource {
    draw: Arc<Draw>,
    codec: Arc<dyn TokenCodec>,
}

impl Default for TokenSource {
    fn default() -> Self {
        Self::of(random)
    }
}

impl TokenSource {
    pub(crate) fn of<const N: usize>(
        bytes: impl Fn() -> Result<[u8; N], Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            draw: Arc::new(move |codec| Ok(codec.token(&bytes()?))),
            codec: Arc::new(Native(N)),
        }
    }

    /// Uses another format for cookies and keys.
    pub(crate) fn with_codec(self, codec: Arc<dyn TokenCodec>) -> Self {
        Self { codec, ..self }
    }

    pub(crate) fn generate(&self) -> Result<Token, Error> {
        (self.draw)(&*self.codec)
    }

    /// Reads a cookie's value; returns `None` unless this application can have set it.
    pub(crate) fn parse(&self, value: &str) -> Option<Token> {
        self.codec.read(value)
    }

    /// Returns the cookie's value.
    pub(crate) fn write(&self, token: &Token) -> String {
        self.codec.write(token)
    }

    /// Fails if the generator repeats itself.
    pub(crate) fn check(&self) -> Result<(), Error> {
        require(self.generate()? != self.generate()?, || {
            "the token generator returned the same token twice; take its bytes from the operating system".into()
        })
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenSource(..)")
    }
}
