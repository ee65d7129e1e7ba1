//! Brings e-mail addresses into the one form in which they are stored and compared.

use icu_normalizer::ComposingNormalizerBorrowed;
use rocket::fairing::AdHoc;
use rocket_diesel_session::{Database, Error, LiveSessions};

use crate::db::users;

/// In bytes; longer texts are never an address and are not normalised.
const LONGEST_EMAIL: usize = 254 * 4;

/// Returns the form in which an address is stored and compared.
///
/// It is lower case, the local part in NFC, the domain in ASCII as mail servers use it (UTS 46).
pub(crate) fn canonical(text: &str) -> String {
    if text.len() > LONGEST_EMAIL {
        return text.to_owned();
    }
    let text = text.trim();
    let Some((local, domain)) = text.rsplit_once('@') else {
        return text.to_lowercase();
    };
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    let local = nfc.normalize(&local.to_lowercase()).into_owned();
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
    format!("{local}@{domain}")
}

/// Returns a canonical address with its domain in Unicode, as people write it.
pub(super) fn written(canonical: &str) -> String {
    match canonical.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", idna::domain_to_unicode(domain).0),
        None => canonical.to_owned(),
    }
}

/// Canonicalizes the stored addresses at launch if `session.migrate` is true.
pub(crate) fn migration() -> AdHoc {
    AdHoc::on_ignite("E-mail addresses", |rocket| async {
        let migrates = rocket.figment().extract_inner("session.migrate");
        let live = LiveSessions::of(&rocket).filter(|_| migrates.unwrap_or(false));
        if let Some(database) = live.as_ref().and_then(LiveSessions::database) {
            match canonicalize_stored(database).await {
                Ok(done) => warn_of(&done.kept),
                Err(error) => {
                    rocket::error!("cannot canonicalize the stored e-mail addresses: {error}")
                }
            }
        }
        rocket
    })
}

fn warn_of(kept: &[String]) {
    for id in kept {
        rocket::warn!("the user {id} cannot sign in: another account has the same e-mail address");
    }
}

/// The result of canonicalizing the stored addresses.
#[derive(Default)]
pub(crate) struct Canonicalized {
    pub(crate) changed: usize,
    /// The ids of the accounts that kept their address, because another account has its
    /// canonical form.
    pub(crate) kept: Vec<String>,
}

/// Canonicalizes the stored addresses.
///
/// An earlier release stored addresses in lower case only, which is canonical for ASCII.
pub(crate) async fn canonicalize_stored(database: &Database) -> Result<Canonicalized, Error> {
    let rows = users::emails_beyond_ascii(database).await?;
    let mut done = Canonicalized::default();
    for (id, email) in rows {
        let canonical = canonical(&email);
        if canonical == email {
            continue;
        }
        match users::set_email(database, id.clone(), email, canonical).await? {
            true => done.changed += 1,
            false => done.kept.push(id),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::validation;

    #[test]
    fn every_spelling_of_an_address_has_one_canonical_form() {
        for (canonical, spellings) in [
            (
                "ada@xn--bcher-kva.example",
                &[
                    "ada@bücher.example",
                    "ADA@BÜCHER.EXAMPLE",
                    "ada@bu\u{308}cher.example",
                    "ada@XN--BCHER-KVA.example",
                    " ada@bücher\u{3002}example ",
                    "ada@ｂücher.example",
                    "ada@bü\u{ad}cher.example",
                ] as &[&str],
            ),
            (
                "josé@example.org",
                &["jose\u{301}@example.org", "JOSÉ@Example.org"],
            ),
            ("ada@xn--strae-oqa.example", &["ada@straße.example"]),
            ("ada@example.org", &["Ada@EXAMPLE.org"]),
        ] {
            for spelling in spellings {
                assert_eq!(super::canonical(spelling), canonical, "{spelling}");
                assert!(validation::email(spelling).is_ok(), "{spelling}");
            }
            assert_eq!(super::canonical(canonical), canonical);
        }
        assert_eq!(written("ada@xn--bcher-kva.example"), "ada@bücher.example");
        for wrong in [
            "ada@\u{fffd}.example",
            "ada@xn--é.example",
            "ada@foo\u{ff20}bar.org",
        ] {
            assert!(validation::email(wrong).is_err(), "{wrong}");
        }
    }
}
