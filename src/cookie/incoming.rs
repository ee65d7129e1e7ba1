//! From the raw `Cookie` headers to a token.

use crate::token::{Token, Tokens};

/// What a request's cookies say.
#[derive(Debug, PartialEq)]
pub(crate) struct Incoming {
    /// There is a cookie of our name, usable or not.
    pub(crate) came: bool,
    pub(crate) token: Option<Token>,
}

impl Incoming {
    /// Reads the raw headers: Rocket's jar decodes names, so that `__%48ost-id` would pass for
    /// `__Host-id`, and keeps the last of two cookies of one name (CVE-2020-8184 was the same in
    /// Rack).
    pub(crate) fn read<'h>(
        headers: impl Iterator<Item = &'h str>,
        name: &str,
        tokens: &Tokens,
    ) -> Self {
        let mut values = headers
            .flat_map(pairs)
            .filter_map(|(key, value)| (key == name).then_some(value));
        let Some(value) = values.next() else {
            return Self {
                came: false,
                token: None,
            };
        };
        let unanimous = values.all(|other| other == value);
        Self {
            came: true,
            token: tokens.parse(value).filter(|_| unanimous),
        }
    }
}

/// The pairs of one header, byte for byte but for the one space after each semicolon (RFC 6265,
/// section 4.2.1).
fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let pieces = header.split(';').enumerate();
    let pieces = pieces.map(|(at, piece)| {
        if at == 0 {
            piece
        } else {
            piece.strip_prefix(' ').unwrap_or(piece)
        }
    });
    pieces.filter_map(|piece| piece.split_once('='))
}
