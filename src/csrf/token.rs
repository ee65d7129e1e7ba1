//! The CSRF token, which only a page that was rendered for this browser knows.
//!
//! It is computed from the secret in the browser's cookie, so it is not stored, and it ends with that
//! secret: at sign-in, at sign-out and whenever the session gets a new token.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use hmac::{Hmac, Mac};
use rocket::Request;
use sha2::Sha256;

use crate::error::Error;
use crate::request::cookie;
use crate::request::cookie::CookieConfig;
use crate::token::{Token, random};

/// The form field that holds the token.
pub(crate) const FIELD: &str = "_token";

const BYTES: usize = 32;

/// Returns a CSRF token for the browser that holds `secret`. Its text differs each time, so the size of
/// compressed pages does not reveal it (CVE-2013-3587).
pub(crate) fn issue(secret: &Token) -> Result<String, Error> {
    let mask = random()?;
    let code = secret.code(FIELD).finalize().into_bytes();
    let masked = mask.iter().zip(code).map(|(mask, code)| mask ^ code);
    let bytes: Vec<u8> = mask.iter().copied().chain(masked).collect();
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns `true` if `text` is a CSRF token for the browser that holds `secret`.
pub(crate) fn is_for(text: &str, secret: &Token) -> bool {
    let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(text) else {
        return false;
    };
    let Some((mask, masked)) = bytes.split_at_checked(BYTES) else {
        return false;
    };
    let code: Vec<u8> = mask.iter().zip(masked).map(|(a, b)| a ^ b).collect();
    masked.len() == BYTES && secret.code(FIELD).verify_slice(&code).is_ok()
}

/// The value of the second cookie: the secret of forms that were rendered before a session began.
pub(crate) struct FormCookie {
    pub(crate) secret: Token,
    code: Option<Vec<u8>>,
}

impl FormCookie {
    /// Reads the second cookie of a request.
    pub(crate) fn of(request: &Request<'_>, config: &CookieConfig) -> Option<Self> {
        cookie(request, &config.form_name_in(request)).and_then(Self::parse)
    }

    /// Parses the cookie's value.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (secret, code) = text.split_once('.').unzip();
        Some(Self {
            secret: Token::parse(secret.unwrap_or(text))?,
            code: code.and_then(|code| BASE64_URL_SAFE_NO_PAD.decode(code).ok()),
        })
    }

    /// Returns `true` if this session began in the browser that held the secret. A site that can set a
    /// cookie can set a secret, but computing the code takes the session's token.
    pub(crate) fn is_of(&self, session: &Token) -> bool {
        let code = self.code.as_ref();
        code.is_some_and(|code| binding(&self.secret, session).verify_slice(code).is_ok())
    }
}

/// Returns the cookie's value once a session has begun.
pub(crate) fn bound(secret: &Token, session: &Token) -> String {
    let code = binding(secret, session).finalize().into_bytes();
    let code = BASE64_URL_SAFE_NO_PAD.encode(code);
    format!("{}.{code}", secret.secret())
}

fn binding(secret: &Token, session: &Token) -> Hmac<Sha256> {
    let mut code = session.code("form cookie");
    code.update(secret.secret().as_bytes());
    code
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_csrf_token_is_for_one_secret() {
        let (own, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        let (first, second) = (issue(&own).unwrap(), issue(&own).unwrap());
        assert_ne!(first, second);
        assert!(is_for(&first, &own) && is_for(&second, &own));
        assert!(!is_for(&first, &other));
    }

    #[test]
    fn nothing_but_a_whole_csrf_token_is_one() {
        let secret = Token::generate().unwrap();
        let good = issue(&secret).unwrap();
        for length in 0..good.len() {
            assert!(!is_for(&good[..length], &secret), "{length} characters");
        }
        for bad in [
            format!("{good}A"),
            format!("{good}{good}"),
            format!("{good}="),
            format!(" {good}"),
            "A".repeat(good.len()),
            "é".repeat(43),
        ] {
            assert!(!is_for(&bad, &secret), "{bad}");
        }
        for (at, letter) in good.char_indices() {
            let other = if letter == 'A' { "B" } else { "A" };
            let mut changed = good.clone();
            changed.replace_range(at..=at, other);
            assert!(!is_for(&changed, &secret), "{changed}");
        }
    }

    /// Rack compared up to the first different byte, so the time revealed how much of a guess was right.
    #[test]
    fn cve_2013_0263_the_time_does_not_tell_how_much_of_a_code_is_right() {
        let secret = Token::generate().unwrap();
        let good = BASE64_URL_SAFE_NO_PAD
            .decode(issue(&secret).unwrap())
            .unwrap();
        let wrong_at = |byte: usize| {
            let mut bytes = good.clone();
            bytes[BYTES + byte] ^= 1;
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        };
        let guesses = [wrong_at(0), wrong_at(BYTES - 1)];
        let difference = || {
            // Both at the same place in memory, lest that make a difference.
            let (mut guess, mut times) = (guesses[0].clone(), [Vec::new(), Vec::new()]);
            for _ in 0..20_000 {
                let which = fastrand::usize(0..2);
                guess.clone_from(&guesses[which]);
                let start = Instant::now();
                assert!(!is_for(black_box(&guess), &secret));
                times[which].push(start.elapsed().as_nanos() as f64);
            }
            welch(times.each_mut().map(|times| quiet(times)))
        };
        // Chance alone gets over it once in 150,000 times; what leaks does so each time.
        let differences = [(); 3].map(|()| difference().abs());
        assert!(differences.iter().any(|it| *it < 4.5), "{differences:?}");
    }

    /// Without the tenth in which something else took the processor.
    fn quiet(times: &mut [f64]) -> &[f64] {
        times.sort_by(f64::total_cmp);
        &times[..times.len() * 9 / 10]
    }

    /// Welch's t, by which two means differ.
    fn welch(samples: [&[f64]; 2]) -> f64 {
        let [(a, of_a), (b, of_b)] = samples.map(|times| {
            let count = times.len() as f64;
            let mean = times.iter().sum::<f64>() / count;
            let squares = times.iter().map(|time| (time - mean).powi(2));
            (mean, squares.sum::<f64>() / (count - 1.0) / count)
        });
        (a - b) / (of_a + of_b).sqrt()
    }
}
