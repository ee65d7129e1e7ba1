//! Remembers which devices a session has listed.
//!
//! A request to sign out a listed device that has ended since is a late click. One for a device
//! that was never listed is an attack on another user's session.

use rocket::serde::json::json;
use rocket_diesel_session::{Error, Session, SessionInfo};

/// The name of the session's value.
const LISTED: &str = "listed_devices";

/// The number of keys that a session remembers; the oldest are dropped.
const MOST: usize = 50;

/// The result of signing a device out.
pub(crate) enum Ended {
    Now,
    /// It was listed before.
    Already,
    /// It may be another user's.
    Unknown,
}

/// Returns the user's devices and remembers that they were listed.
pub(crate) async fn devices(session: &Session) -> Result<Vec<SessionInfo>, Error> {
    let devices = session.devices().await?;
    remember(session, devices.iter().map(|device| device.key.short()))?;
    Ok(devices)
}

/// Signs out the device with this short key, and reports an attack if the key was never listed.
pub(crate) async fn end(session: &Session, key: &str) -> Result<Ended, Error> {
    if session.end_device(key).await? {
        // After signing itself out, this session can store nothing.
        if session.user_id().is_some() {
            remember(session, [key])?;
        }
        return Ok(Ended::Now);
    }
    if listed(session)?.iter().any(|listed| listed == key) {
        return Ok(Ended::Already);
    }
    session.event("malicious_direct_reference", json!({}));
    Ok(Ended::Unknown)
}

fn listed(session: &Session) -> Result<Vec<String>, Error> {
    Ok(session.get(LISTED)?.unwrap_or_default())
}

/// Adds keys to the list. A known key causes no write.
fn remember<'k>(session: &Session, keys: impl IntoIterator<Item = &'k str>) -> Result<(), Error> {
    let mut listed = listed(session)?;
    let before = listed.len();
    for key in keys {
        if !listed.iter().any(|listed| listed == key) {
            listed.push(key.to_owned());
        }
    }
    if listed.len() == before {
        return Ok(());
    }
    listed.drain(..listed.len().saturating_sub(MOST));
    session.insert(LISTED, listed)
}
