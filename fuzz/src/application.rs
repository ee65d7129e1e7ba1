//! Fuzzed functions of the application.

#![allow(
    clippy::unwrap_used,
    reason = "a target panics where something is not true"
)]

use pbkdf2::password_hash::PasswordHasher;
use pbkdf2::sha2::{Sha256, Sha512};
use pbkdf2::{Algorithm, Params, Pbkdf2, pbkdf2_hmac};
use rocket::http::RawStr;
use rocket::http::uri::{Origin, Reference};
use url::Url;

use super::passwords::{is_right, parse_stored};
use super::web::return_to::or_home;

/// Where a sign-in leads: to a path of this site, however it is read, or home.
pub fn next(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let next = or_home(Some(text));
    assert!(next == text || next == "/home");
    assert_eq!(or_home(Some(&next)), next);
    assert!(Origin::parse(&next).is_ok() && Reference::parse(&next).is_ok());
    assert!(
        next.bytes().all(|byte| byte.is_ascii_graphic()),
        "fits a header"
    );
    let decoded = RawStr::new(&next).percent_decode_lossy();
    let twice = RawStr::new(&*decoded).percent_decode_lossy();
    for path in [&next, &*decoded, &*twice] {
        assert!(path.starts_with('/') && !path.contains("//") && !path.contains('\\'));
        assert!(!path.contains(char::is_control));
        let place = Url::parse("https://example.org/login").unwrap().join(path);
        assert!(
            place.is_ok_and(|place| place.origin().ascii_serialization() == "https://example.org")
        );
    }
    let page = next.split('?').next().unwrap().trim_end_matches('/');
    assert!(!["", "/login", "/register", "/logout", "/account/confirm"].contains(&page));
}

/// A password, and on the next line the hash that is stored; without one, it is hashed.
pub fn phc(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match text.split_once('\n') {
        Some((password, stored)) => is_right_for_a_reason(password, stored),
        None => is_right_for_itself_alone(text),
    }
}

/// What costs more rounds than allowed is not looked at; what is right has the key that PBKDF2
/// derives from the password.
fn is_right_for_a_reason(password: &str, stored: &str) {
    let Some((hash, .., rounds)) = parse_stored(stored) else {
        return;
    };
    assert!(rounds <= 6_000_000, "{rounds}");
    if rounds > 2_000 {
        return;
    }
    let (password_bytes, right) = (password.as_bytes(), is_right(password, &hash));
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
        return assert!(!right);
    };
    let mut derived = vec![0; expected.len()];
    match hash.algorithm.as_str() {
        "pbkdf2-sha256" => pbkdf2_hmac::<Sha256>(password_bytes, &salt, rounds, &mut derived),
        "pbkdf2-sha512" => pbkdf2_hmac::<Sha512>(password_bytes, &salt, rounds, &mut derived),
        _ => return assert!(!right),
    }
    let same = derived == expected.as_bytes();
    assert_eq!(right, same && !password.ends_with('\0'));
}

fn is_right_for_itself_alone(password: &str) {
    let few = Pbkdf2::new(Algorithm::Pbkdf2Sha256, Params::new(1_000).unwrap());
    let hash = few.hash_password_with_salt(password.as_bytes(), b"a salt that is fixed");
    let stored = hash.unwrap().to_string();
    let (hash, ..) = parse_stored(&stored).unwrap();
    // Nobody can choose such a password.
    assert_eq!(is_right(password, &hash), !password.ends_with('\0'));
    for other in [format!("{password}\0"), format!("{password} ")] {
        assert!(!is_right(&other, &hash), "{other:?}");
    }
}

#[cfg(test)]
mod tests {
    use testing::corpus;

    use super::*;

    #[test]
    fn the_corpus_of_next() {
        corpus::replay("next", next);
    }

    #[test]
    fn the_corpus_of_phc() {
        corpus::replay("phc", phc);
    }
}
