//! The proofs of the signed-in user's identity, with their times.

use serde::{Deserialize, Serialize};

use super::contents::{Contents, encode};
use super::reserved::PROOFS;
use super::{Change, Limits, State};
use crate::error::{Error, ErrorKind};

/// A way in which a user proves an identity.
///
/// ```
/// use rocket_diesel_session::{Error, Session};
/// use rocket_diesel_session::sign_in::Factor;
///
/// fn sign_in_by_mail(session: &Session, user_id: u64) -> Result<(), Error> {
///     session.log_in(user_id)?;
///     session.add_proof(Factor::Other("link in a mail".into()))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Factor {
    /// The application does not say which.
    Unstated,
    /// A password.
    Password,
    /// A one-time code: of an authenticator application, in a message, or from a printed list.
    OneTimeCode,
    /// A passkey or a security key.
    Passkey,
    /// Another provider, such as one of OpenID Connect.
    Provider,
    /// Another factor, in a word of the application.
    Other(String),
}

/// The newest proof of each factor of one user; times in Unix milliseconds.
///
/// Has the user's id, because an application that shares the session can sign in another user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    pub(crate) user_id: String,
    pub(crate) times: Vec<(Factor, i64)>,
}

impl Evidence {
    fn add(&mut self, factor: Factor, at: i64) {
        self.times.retain(|(known, _)| *known != factor);
        self.times.push((factor, at));
    }
}

/// Returns `true` if two times in Unix milliseconds are at most so many minutes apart. A time far in the
/// future is that of a wrong clock, and does not count.
pub(crate) fn is_within(minutes: u32, at: i64, now: i64) -> bool {
    now.abs_diff(at) <= u64::from(minutes) * 60_000
}

/// Returns the proofs of the signed-in user. Unreadable ones count as none.
fn proofs(contents: &Contents) -> Option<Evidence> {
    let evidence: Evidence = contents.get(PROOFS).ok()??;
    let is_of_user = contents.user_id.as_ref() == Some(&evidence.user_id);
    is_of_user.then_some(evidence)
}

/// Adds a proof, unless another user has signed in since.
pub(super) fn add(
    contents: &mut Contents,
    user_id: &str,
    factor: &Factor,
    at: i64,
) -> Result<(), Error> {
    if contents.user_id.as_deref() != Some(user_id) {
        return Ok(());
    }
    let mut evidence = proofs(contents).unwrap_or(Evidence {
        user_id: user_id.to_owned(),
        times: Vec::new(),
    });
    evidence.add(factor.clone(), at);
    contents.set(PROOFS, encode(PROOFS, evidence)?);
    Ok(())
}

impl State {
    /// Returns the proofs of the signed-in user since the sign-in.
    pub(crate) fn proofs(&self) -> Vec<(Factor, i64)> {
        proofs(&self.contents).map_or_else(Vec::new, |evidence| evidence.times)
    }

    /// Adds a proof for the signed-in user, under a new token.
    pub(crate) fn add_proof(
        &mut self,
        factor: Factor,
        at: i64,
        limits: &Limits,
    ) -> Result<(), Error> {
        let Some(user_id) = self.contents.user_id.clone() else {
            let message = "a proof needs a signed-in user; call log_in first";
            return Err(Error::new(ErrorKind::Anonymous, message));
        };
        self.apply(Change::add_proof(user_id, factor, at), limits)?;
        self.renew();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of_ada() -> Contents {
        let mut contents = Contents::default();
        contents.log_in("ada", false);
        add(&mut contents, "ada", &Factor::Password, 1).unwrap();
        contents
    }

    #[test]
    fn proofs_of_another_user_do_not_count() {
        let mut contents = of_ada();
        let times = vec![(Factor::Password, 1)];
        assert_eq!(proofs(&contents).map(|it| it.times), Some(times));
        contents.user_id = Some("bob".into());
        assert_eq!(proofs(&contents), None, "another application signed in bob");
        let before = contents.clone();
        add(&mut contents, "ada", &Factor::Passkey, 2).unwrap();
        assert_eq!(contents, before);
        add(&mut contents, "bob", &Factor::Passkey, 2).unwrap();
        let times = vec![(Factor::Passkey, 2)];
        assert_eq!(proofs(&contents).map(|it| it.times), Some(times));
    }

    #[test]
    fn unreadable_proofs_count_as_none() {
        let mut contents = of_ada();
        for value in [
            json!(7),
            json!({ "user_id": "ada", "times": [["unheard_of", 1]] }),
        ] {
            contents.set(PROOFS, value);
            assert_eq!(proofs(&contents), None);
        }
    }

    #[test]
    fn a_proof_counts_up_to_its_last_millisecond_and_not_from_the_future() {
        let now = 1_790_000_000_000;
        for (age, counts) in [
            (0, true),
            (600_000, true),
            (600_001, false),
            (-50, true),
            (-600_001, false),
        ] {
            assert_eq!(is_within(10, now - age, now), counts, "{age}");
        }
        assert!(!is_within(10, i64::MIN, i64::MAX));
    }
}
