//! Passwords: PBKDF2-HMAC-SHA256 as PHC strings, a bounded number at a time.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use pbkdf2::password_hash::{PasswordHasher, PasswordVerifier};
use pbkdf2::phc::PasswordHash;
use pbkdf2::{Algorithm, Params, Pbkdf2};
use rocket::tokio::sync::Semaphore;
use rocket::tokio::task::spawn_blocking;
use rocket_diesel_session::Error;

/// The OWASP Password Storage Cheat Sheet's figure for HMAC-SHA256.
const ROUNDS: u32 = 600_000;
/// A stored hash that asks for more is refused, lest it occupy a processor for minutes.
const MAX_ROUNDS: u32 = 10 * ROUNDS;

/// One processor is left for those who are signed in already.
static HASHING: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(available_parallelism().map_or(1, |count| count.get().max(2) - 1))
});

/// The result of a comparison.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Right,
    /// Right, and made with fewer rounds than today's: to be hashed again.
    RightButOld,
    Wrong,
}

/// Makes a PHC string; fails when the operating system has no randomness to give.
pub(crate) async fn hash(password: String) -> Result<String, Error> {
    let hash = bounded(move || {
        Some(
            hasher()?
                .hash_password(password.as_bytes())
                .ok()?
                .to_string(),
        )
    });
    let failed = || Error::unavailable("the password could not be hashed");
    hash.await.flatten().ok_or_else(failed)
}

/// Compares a password with a stored PHC string; with none, it takes as long and is wrong.
pub(crate) async fn verify(password: String, stored: Option<String>) -> Verdict {
    bounded(move || match stored {
        Some(stored) => compare(&password, &stored),
        None => {
            let _ = hasher().and_then(|hasher| hasher.hash_password(password.as_bytes()).ok());
            Verdict::Wrong
        }
    })
    .await
    .unwrap_or(Verdict::Wrong)
}

fn compare(password: &str, stored: &str) -> Verdict {
    let (Ok(stored), Some(hasher)) = (PasswordHash::new(stored), hasher()) else {
        return Verdict::Wrong;
    };
    let Ok(params) = Params::try_from(&stored) else {
        return Verdict::Wrong;
    };
    if params.rounds() > MAX_ROUNDS
        || hasher
            .verify_password(password.as_bytes(), &stored)
            .is_err()
    {
        return Verdict::Wrong;
    }
    if params.rounds() < ROUNDS {
        Verdict::RightButOld
    } else {
        Verdict::Right
    }
}

fn hasher() -> Option<Pbkdf2> {
    Some(Pbkdf2::new(
        Algorithm::Pbkdf2Sha256,
        Params::new(ROUNDS).ok()?,
    ))
}

async fn bounded<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _permit = HASHING.acquire().await.ok()?;
    spawn_blocking(work).await.ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use super::*;

    #[rocket::async_test]
    async fn u7_a_password_is_a_phc_string_that_verifies_exactly() {
        for password in [
            "correct horse battery",
            " spaces at the ends ",
            "пароль🦀\0\u{301}",
            &"x".repeat(1024),
        ] {
            let hash = hash(password.into()).await.unwrap();
            assert!(hash.starts_with("$pbkdf2-sha256$i=600000"), "{hash}");
            assert!(!hash.contains(password));
            assert_eq!(
                verify(password.into(), Some(hash.clone())).await,
                Verdict::Right
            );
            assert_eq!(
                verify(format!("{password} "), Some(hash.clone())).await,
                Verdict::Wrong
            );
            assert_eq!(
                verify(password.trim_end_matches('x').into(), Some(hash)).await == Verdict::Wrong,
                password.ends_with('x')
            );
        }
    }

    #[rocket::async_test]
    async fn u7_an_old_hash_is_to_be_renewed() {
        let old = Pbkdf2::new(Algorithm::Pbkdf2Sha256, Params::new(1_000).unwrap());
        let old = old.hash_password(b"secret").unwrap().to_string();
        assert_eq!(
            verify("secret".into(), Some(old)).await,
            Verdict::RightButOld
        );
    }

    #[rocket::async_test]
    async fn bad_input_row_44_an_absurd_hash_is_wrong() {
        let good = hash("secret".into()).await.unwrap();
        for bad in [
            "",
            "secret",
            "$",
            "$pbkdf2-sha256$",
            "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
            &good.replace("i=600000", "i=0"),
            &good.replace("i=600000", "i=1000000000000"),
            &good.replace("i=600000", "i=4000000000"),
            &good.replace("i=600000", "i=-1"),
        ] {
            assert_eq!(
                verify("secret".into(), Some(bad.into())).await,
                Verdict::Wrong,
                "{bad}"
            );
        }
        assert_eq!(verify("secret".into(), None).await, Verdict::Wrong);
    }
}
