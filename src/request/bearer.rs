//! The bearer token in the header `Authorization` (RFC 6750), and the setting that lets it count.

use rocket::Request;

const SCHEME: &str = "Bearer";

/// The header in which a response has the client's new token.
pub(crate) const NEW_TOKEN: &str = "Session-Token";

#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase", expecting = "\"cookie\" or \"bearer\"")]
enum Carrier {
    Cookie,
    Bearer,
}

/// The parts of a request in which a session's token counts: `session.token_from`.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(try_from = "Vec<Carrier>")]
pub(crate) struct TokenFrom {
    pub(crate) cookie: bool,
    pub(crate) bearer: bool,
}

impl Default for TokenFrom {
    fn default() -> Self {
        Self {
            cookie: true,
            bearer: false,
        }
    }
}

impl TryFrom<Vec<Carrier>> for TokenFrom {
    type Error = &'static str;

    fn try_from(carriers: Vec<Carrier>) -> Result<Self, Self::Error> {
        let count = |carrier| carriers.iter().filter(|it| **it == carrier).count();
        let (cookies, bearers) = (count(Carrier::Cookie), count(Carrier::Bearer));
        match cookies.max(bearers) {
            1 => Ok(Self {
                cookie: cookies == 1,
                bearer: bearers == 1,
            }),
            0 => Err(
                "it is an empty list; write [\"cookie\"], [\"bearer\"] or [\"cookie\", \"bearer\"]",
            ),
            _ => Err("it has one word twice; write each once"),
        }
    }
}

/// Returns the bearer token of a request as the client sent it. `None`: it has none, such as with
/// another scheme. `Some(None)`: it has several `Authorization` headers, so none counts.
pub(super) fn find<'r>(request: &'r Request<'_>) -> Option<Option<&'r str>> {
    read(request.headers().get("Authorization"))
}

fn read<'h>(mut headers: impl Iterator<Item = &'h str>) -> Option<Option<&'h str>> {
    let header = headers.next()?;
    match headers.next() {
        Some(_) => Some(None),
        None => token(header).map(Some),
    }
}

/// Returns the text after the scheme. A text that only begins like the scheme counts as a bearer token
/// that is malformed, so that the cookie beside it is not used.
fn token(header: &str) -> Option<&str> {
    let header = header.trim_matches([' ', '\t']);
    let (scheme, rest) = header.split_at_checked(SCHEME.len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(SCHEME) && !rest.starts_with(is_of_a_scheme);
    is_bearer.then(|| rest.trim_start_matches(' '))
}

/// Returns `true` for the characters of a scheme's name (RFC 9110, section 5.6.2).
fn is_of_a_scheme(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Token, TokenSource};

    fn read_all<'h>(headers: &[&'h str]) -> Option<Option<&'h str>> {
        read(headers.iter().copied())
    }

    #[test]
    fn a_bearer_token_is_found_in_one_authorization_header() {
        for (headers, expected) in [
            (&["Bearer abc"][..], Some(Some("abc"))),
            (&["bearer abc"], Some(Some("abc"))),
            (&["BEARER   abc"], Some(Some("abc"))),
            (&[" \tBearer abc \t"], Some(Some("abc"))),
            (&["Bearer"], Some(Some(""))),
            (&["Bearer "], Some(Some(""))),
            (&["Bearer abc def"], Some(Some("abc def"))),
            (&["Bearer abc, Bearer abc"], Some(Some("abc, Bearer abc"))),
            (&["Bearer\tabc"], Some(Some("\tabc"))),
            (&["Bearer\u{a0}abc"], Some(Some("\u{a0}abc"))),
            (&["Bearer=abc"], Some(Some("=abc"))),
            (&["Bearer abc", "Bearer abc"], Some(None)),
            (&["Basic abc", "Bearer abc"], Some(None)),
            (&["Basic abc", "Basic abc"], Some(None)),
            (&["Basic abc"], None),
            (&["BearerX abc"], None),
            (&["Bearer-x abc"], None),
            (&["Beare abc"], None),
            (&["Beare\u{301}r abc"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(read_all(headers), expected, "{headers:?}");
        }
    }

    /// The header in other words: the scheme in any case, spaces, and one token in its canonical form.
    fn expected(header: &str) -> Option<&str> {
        let header = header.trim_matches([' ', '\t']);
        let (scheme, token) = header.split_once(' ')?;
        let token = token.trim_start_matches(' ');
        let is_token = scheme.eq_ignore_ascii_case("bearer") && Token::parse(token).is_some();
        is_token.then_some(token)
    }

    #[test]
    fn no_text_but_the_scheme_and_one_token_opens_a_session() {
        let mut random = fastrand::Rng::with_seed(6750);
        let tokens = TokenSource::default();
        let (mut opened, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let token = tokens.write(&Token::generate().unwrap());
            let mut header = format!("Bearer {token}");
            for _ in 0..random.usize(..4) {
                let at = random.usize(..=header.len());
                if !header.is_char_boundary(at) {
                    continue;
                }
                match random.u8(..6) {
                    0 => header.insert(at, random.char('\t'..='~')),
                    1 => header.insert_str(at, random.choice([" ", "  ", ",", "é"]).unwrap()),
                    2 => header.truncate(at),
                    3 => header = header.repeat(2),
                    4 => header[..at].make_ascii_uppercase(),
                    _ => {
                        let scheme = header.get_mut(..SCHEME.len());
                        scheme.into_iter().for_each(str::make_ascii_uppercase);
                    }
                }
            }
            let found = read_all(&[&header]).flatten();
            let found = found.filter(|text| tokens.parse(text).is_some());
            assert_eq!(found, expected(&header), "{header:?}");
            match found {
                Some(_) => opened += 1,
                None => refused += 1,
            }
            assert_eq!(read_all(&[&header, &header]), Some(None), "{header:?}");
        }
        assert!(opened > 2_000 && refused > 2_000, "{opened} {refused}");
    }

    #[test]
    fn the_setting_names_each_carrier_once() {
        use Carrier::{Bearer, Cookie};
        for (carriers, expected) in [
            (&[Cookie][..], Some((true, false))),
            (&[Bearer], Some((false, true))),
            (&[Cookie, Bearer], Some((true, true))),
            (&[Bearer, Cookie], Some((true, true))),
            (&[], None),
            (&[Bearer, Bearer], None),
            (&[Cookie, Bearer, Cookie], None),
        ] {
            let read = TokenFrom::try_from(carriers.to_vec()).ok();
            assert_eq!(read.map(|it| (it.cookie, it.bearer)), expected);
        }
    }
}
