//! Hashes and verifies passwords as PHC strings.

pub(crate) mod common;
mod queue;
mod slots;

use std::hint::black_box;

use pbkdf2::password_hash::{PasswordHasher, PasswordVerifier};
use pbkdf2::phc::PasswordHash;
use pbkdf2::{Params, Pbkdf2};
use rocket::serde::Deserialize;

pub(crate) use self::slots::{Busy, Slot};

/// The algorithm of new hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(crate = "rocket::serde")]
pub(crate) enum Algorithm {
    #[serde(rename = "pbkdf2-sha256")]
    Sha256,
    #[serde(rename = "pbkdf2-sha512")]
    Sha512,
}

impl Algorithm {
    /// Follows the OWASP Password Storage Cheat Sheet.
    const fn rounds(self) -> u32 {
        match self {
            Self::Sha256 => 600_000,
            Self::Sha512 => 220_000,
        }
    }

    /// Returns the hash to compare with if there is no account. Salt and hash are zeros,
    /// which no password has.
    fn dummy_hash(self) -> String {
        let name = match self {
            Self::Sha256 => pbkdf2::Algorithm::PBKDF2_SHA256_ID,
            Self::Sha512 => pbkdf2::Algorithm::PBKDF2_SHA512_ID,
        };
        format!("${name}$i={},l=32${:A<22}${:A<43}", self.rounds(), "", "")
    }

    /// Limits the rounds of stored hashes, so that none occupies a processor for minutes.
    const fn max_rounds(self) -> u32 {
        10 * self.rounds()
    }
}

/// The result of a comparison.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Right,
    /// Right, but the hash has too few rounds or another algorithm. Store this one instead.
    RightButOld(String),
    Wrong,
}

impl Slot {
    /// Hashes a password and returns the PHC string.
    pub(crate) async fn hash(
        &self,
        password: String,
        algorithm: Algorithm,
    ) -> Result<String, Busy> {
        let hash = self.bounded(move || hash_rounds(&password, algorithm, algorithm.rounds()));
        hash.await?.ok_or(Busy)
    }

    /// Compares a password with a stored PHC string. Without one, takes as long and returns
    /// `Wrong`.
    pub(crate) async fn verify(
        &self,
        password: String,
        stored: Option<String>,
        today: Algorithm,
    ) -> Result<Verdict, Busy> {
        let stored = stored.unwrap_or_else(|| today.dummy_hash());
        self.bounded(move || compare(&password, &stored, today))
            .await
    }
}

fn hash_rounds(password: &str, algorithm: Algorithm, rounds: u32) -> Option<String> {
    let kind = match algorithm {
        Algorithm::Sha256 => pbkdf2::Algorithm::Pbkdf2Sha256,
        Algorithm::Sha512 => pbkdf2::Algorithm::Pbkdf2Sha512,
    };
    let hasher = Pbkdf2::new(kind, Params::new(rounds).ok()?);
    let hash = hasher.hash_password(password.as_bytes()).ok()?;
    Some(hash.to_string())
}

/// Spends the time of `rounds` rounds.
fn spend_rounds(password: &str, algorithm: Algorithm, rounds: u32) {
    black_box(hash_rounds(password, algorithm, rounds));
}

fn compare(password: &str, stored: &str, today: Algorithm) -> Verdict {
    let Some((stored, algorithm, rounds)) = parse_stored(stored) else {
        rocket::error!(
            "a stored password hash is unusable, so its user cannot sign in; store a new one"
        );
        spend_rounds(password, today, today.rounds());
        return Verdict::Wrong;
    };
    if !is_right(password, &stored) {
        // A hash with fewer rounds must not answer faster than others.
        let done = u64::from(rounds) * u64::from(today.rounds()) / u64::from(algorithm.rounds());
        let done = u32::try_from(done).unwrap_or(u32::MAX);
        spend_rounds(password, today, today.rounds().saturating_sub(done));
        return Verdict::Wrong;
    }
    if algorithm == today && rounds >= today.rounds() {
        return Verdict::Right;
    }
    hash_rounds(password, today, today.rounds()).map_or(Verdict::Right, Verdict::RightButOld)
}

/// Rejects a password with NUL at its end: HMAC pads short keys with NUL, so it would match as
/// well.
pub(crate) fn is_right(password: &str, stored: &PasswordHash) -> bool {
    let verified = Pbkdf2::default().verify_password(password.as_bytes(), stored);
    verified.is_ok() && !password.ends_with('\0')
}

/// Returns a usable stored hash, its algorithm and its rounds.
pub(crate) fn parse_stored(stored: &str) -> Option<(PasswordHash, Algorithm, u32)> {
    let stored = PasswordHash::new(stored).ok()?;
    let rounds = Params::try_from(&stored).ok()?.rounds();
    let algorithm = match stored.algorithm.as_str() {
        pbkdf2::Algorithm::PBKDF2_SHA256_ID => Algorithm::Sha256,
        pbkdf2::Algorithm::PBKDF2_SHA512_ID => Algorithm::Sha512,
        _ => return None,
    };
    let whole = stored.salt.is_some() && stored.hash.is_some();
    (whole && rounds <= algorithm.max_rounds()).then_some((stored, algorithm, rounds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use std::thread::available_parallelism;
    use std::time::{Duration, Instant};

    use Algorithm::{Sha256, Sha512};

    use super::slots::{TIMEOUT, WAITING};
    use super::*;

    /// Tries until a slot is free, since other tests hash as well.
    async fn verify(password: &str, stored: Option<&str>, today: Algorithm) -> Verdict {
        loop {
            let Ok(place) = Slot::take("ada@example.org", None) else {
                rocket::tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let stored = stored.map(str::to_owned);
            if let Ok(verdict) = place.verify(password.to_owned(), stored, today).await {
                return verdict;
            }
        }
    }

    #[rocket::async_test]
    async fn a_password_is_a_phc_string_that_verifies_exactly() {
        for algorithm in [Sha256, Sha512] {
            for password in [
                "correct horse battery",
                " spaces at the ends ",
                "пароль🦀\0\u{301}",
                &"x".repeat(1024),
            ] {
                let hash = &hash_rounds(password, algorithm, algorithm.rounds()).unwrap();
                let beginning = match algorithm {
                    Sha256 => "$pbkdf2-sha256$i=600000",
                    Sha512 => "$pbkdf2-sha512$i=220000",
                };
                assert!(hash.starts_with(beginning), "{hash}");
                assert!(!hash.contains(password));
                assert_eq!(compare(password, hash, algorithm), Verdict::Right);
                let longer = format!("{password} ");
                assert_eq!(compare(&longer, hash, algorithm), Verdict::Wrong);
                let mut shorter = password.to_owned();
                shorter.pop();
                assert_eq!(compare(&shorter, hash, algorithm), Verdict::Wrong);
            }
        }
    }

    #[test]
    fn the_dummy_hash_is_current() {
        for algorithm in [Sha256, Sha512] {
            let hash = algorithm.dummy_hash();
            let (_, found, rounds) = parse_stored(&hash).unwrap();
            assert_eq!((found, rounds), (algorithm, algorithm.rounds()), "{hash}");
        }
    }

    #[rocket::async_test]
    async fn an_old_hash_is_renewed_when_rounds_rise_or_the_algorithm_changes() {
        for (algorithm, rounds, today) in [
            (Sha256, 1_000, Sha256),
            (Sha256, 599_999, Sha256),
            (Sha256, 600_000, Sha512),
            (Sha512, 210_000, Sha512),
            (Sha512, 220_000, Sha256),
        ] {
            let old = hash_rounds("secret", algorithm, rounds).unwrap();
            let Verdict::RightButOld(new) = verify("secret", Some(&old), today).await else {
                panic!("{old} is not old");
            };
            assert_eq!(verify("secret", Some(&new), today).await, Verdict::Right);
            assert_eq!(verify("another", Some(&old), today).await, Verdict::Wrong);
        }
        let more = hash_rounds("secret", Sha256, 700_000).unwrap();
        assert_eq!(verify("secret", Some(&more), Sha256).await, Verdict::Right);
    }

    #[test]
    fn an_absurd_hash_is_wrong_and_takes_no_longer() {
        let good = hash_rounds("secret", Sha256, 600_000).unwrap();
        let salt = good.split('$').nth(3).unwrap();
        let with = |rounds: &str| good.replace("i=600000", &format!("i={rounds}"));
        let took = |stored: &str| {
            let before = worked();
            assert_eq!(
                compare("secret", stored, Sha256),
                Verdict::Wrong,
                "{stored}"
            );
            worked() - before
        };
        let usual = took(&Sha256.dummy_hash());
        for bad in [
            "",
            "secret",
            "$",
            "$pbkdf2-sha256$",
            "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
            &with("0"),
            &with("1"),
            &with("999"),
            &with("6000001"),
            &with("1000000000000"),
            &with("4000000000"),
            &with("-1"),
            &good.replace(salt, ""),
            &good[..good.rfind('$').unwrap()],
            &good.replace("l=32", "l=64"),
        ] {
            // Ten times as many rounds would take ten times as long.
            assert!(took(bad) < 5 * usual, "{bad}");
        }
    }

    /// Returns the processor time of this thread.
    fn worked() -> Duration {
        let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(statistics.split(' ').next().unwrap().parse().unwrap())
    }

    #[rocket::async_test]
    async fn a_flood_of_passwords_is_hashed_a_few_at_a_time_and_refused_in_time() {
        let start = Instant::now();
        let hash = async |account: usize| {
            let place = Slot::take(&account.to_string(), None)?;
            place.hash("secret".to_owned(), Sha256).await
        };
        let flood = (0..256).map(hash);
        let done = rocket::futures::future::join_all(flood).await;
        let hashed = done.iter().filter(|one| one.is_ok()).count();
        let places = available_parallelism().unwrap().get().max(2) - 1;
        assert!((1..=places * (1 + WAITING)).contains(&hashed), "{hashed}");
        let slowest = start.elapsed();
        assert!(slowest < TIMEOUT + Duration::from_secs(2), "{slowest:?}");
    }
}
