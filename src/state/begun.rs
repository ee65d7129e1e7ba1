//! A sign-in that waits for its next factor. Nobody is signed in yet.

use super::contents::{Contents, encode};
use super::proofs::{Evidence, Factor, is_within};
use super::reserved::BEGUN;
use super::{Change, Limits, State, check_user_id, proofs};
use crate::error::{Error, ErrorKind};

/// The longest life of a sign-in that waits for its next factor.
const PENDING_MINUTES: u32 = 10;

impl Evidence {
    /// Returns `true` if the first proof is not too old for the next one.
    pub(crate) fn is_pending(&self, now: i64) -> bool {
        let first = self.times.first();
        first.is_some_and(|(_, at)| is_within(PENDING_MINUTES, *at, now))
    }
}

/// Returns the sign-in that was begun.
fn begun(contents: &Contents) -> Option<Evidence> {
    let evidence = contents.get(BEGUN).ok()?;
    evidence.filter(|_| contents.user_id.is_none())
}

/// Signs the user out, and begins another sign-in.
pub(super) fn begin(contents: &mut Contents, evidence: &Evidence) -> Result<(), Error> {
    contents.leave_user();
    contents.set(BEGUN, encode(BEGUN, evidence)?);
    Ok(())
}

/// Signs the user of a begun sign-in in. Fails unless it is still the one that was begun.
pub(super) fn complete(
    contents: &mut Contents,
    evidence: &Evidence,
    remembered: bool,
    last: &(Factor, i64),
) -> Result<(), Error> {
    if begun(contents).as_ref() != Some(evidence) {
        return Err(not_begun());
    }
    let user_id = &evidence.user_id;
    contents.log_in(user_id, remembered);
    let mut proved = evidence.times.iter().chain([last]);
    proved.try_for_each(|(factor, at)| proofs::add(contents, user_id, factor, *at))
}

fn not_begun() -> Error {
    let message =
        "no sign-in is begun: it was completed, replaced or not begun; sign in from the first step";
    Error::new(ErrorKind::NotBegun, message)
}

fn expired() -> Error {
    let message = format!(
        "the sign-in was begun more than {PENDING_MINUTES} minutes ago; sign in from the first step"
    );
    Error::new(ErrorKind::NotBegun, message)
}

impl State {
    /// Begins a sign-in in place of the present user and of another begun sign-in.
    pub(crate) fn begin_sign_in(
        &mut self,
        user_id: String,
        factor: Factor,
        at: i64,
        limits: &Limits,
    ) -> Result<(), Error> {
        check_user_id(&user_id)?;
        self.drop_data_of_others(None, limits)?;
        let times = vec![(factor, at)];
        self.apply(Change::Begin(Evidence { user_id, times }), limits)?;
        self.renew();
        Ok(())
    }

    /// Returns the sign-in that was begun. Fails if there is none, or if it has expired.
    pub(crate) fn begun(&self, now: i64) -> Result<Evidence, Error> {
        let evidence = begun(&self.contents).ok_or_else(not_begun)?;
        match evidence.is_pending(now) {
            true => Ok(evidence),
            false => Err(expired()),
        }
    }

    /// Completes this sign-in by one more proof. Fails if it is no longer the one that was begun.
    pub(crate) fn complete_sign_in(
        &mut self,
        begun: Evidence,
        remembered: bool,
        last: (Factor, i64),
        limits: &Limits,
    ) -> Result<(), Error> {
        self.begun(last.1)?;
        let complete = Change::Complete {
            begun,
            remembered,
            last,
        };
        self.apply(complete, limits)?;
        self.renew();
        Ok(())
    }
}
