//! Lists, counts and revokes sessions, and deletes expired ones.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::time::{Duration, Instant};

use rocket::serde::json::json;
use rocket_diesel_session::{Key, SessionInfo};

use super::Selection;
use super::failure::CommandFailure;
use super::operator::{Operator, database_entry};
use super::output::Output;
use crate::db::{known_devices, users};
use crate::settings;

/// Sessions that are in memory at the same time.
const PAGE: u32 = 500;

pub(super) async fn list(user: Option<String>, output: &mut Output) -> Result<(), CommandFailure> {
    let operator = Operator::new().await?;
    if let Some(email) = user {
        let user = operator.user(&email).await?;
        let devices = operator.live.list(&user.id).await?;
        output.begin(operator.live.now())?;
        write(&operator, &devices, output).await?;
        return Ok(output.end()?);
    }
    output.begin(operator.live.now())?;
    let mut after = None;
    loop {
        let page = operator.live.all(after.as_ref(), PAGE).await?;
        write(&operator, &page, output).await?;
        if page.len() < PAGE as usize {
            return Ok(output.end()?);
        }
        after = page.into_iter().next_back().map(|device| device.key);
    }
}

async fn write(
    operator: &Operator,
    devices: &[SessionInfo],
    output: &mut Output,
) -> Result<(), CommandFailure> {
    let ids: HashSet<_> = devices.iter().filter_map(|it| it.user_id.clone()).collect();
    let emails = users::emails(operator.database()?, ids.into_iter().collect()).await?;
    let emails: HashMap<_, _> = emails.into_iter().collect();
    for device in devices {
        output.session(device, &emails)?;
    }
    Ok(())
}

pub(super) async fn count(output: &mut Output) -> Result<(), CommandFailure> {
    let operator = Operator::new().await?;
    let live = operator.live.count().await?;
    Ok(output.answer(&json!({ "live": live }), live)?)
}

pub(super) async fn revoke(which: Selection, output: &mut Output) -> Result<(), CommandFailure> {
    let operator = Operator::new().await?;
    let ended = match which {
        Selection {
            user: Some(email), ..
        } => revoke_of_user(&operator, &email).await?,
        Selection { key: Some(key), .. } => revoke_one(&operator, &key, output).await?,
        Selection { all: true, .. } => revoke_all(&operator).await?,
        // clap requires one of the three.
        _ => 0,
    };
    let text = format!(
        "{ended} {} ended",
        if ended == 1 { "session" } else { "sessions" }
    );
    Ok(output.answer(&json!({ "ended": ended }), text)?)
}

async fn revoke_of_user(operator: &Operator, email: &str) -> Result<u64, CommandFailure> {
    let user = operator.user(email).await?;
    let live = operator.live.list(&user.id).await?.len() as u64;
    known_devices::delete_of_user(operator.database()?, &user.id, None).await?;
    operator.live.revoke_all(&user.id).await?;
    unless_zero(live, || format!("{} has no session", user.profile.email))
}

/// Ends every session in one statement, so that a concurrent renewal cannot escape. It may take
/// longer than the timeout of requests.
async fn revoke_all(operator: &Operator) -> Result<u64, CommandFailure> {
    let figment = settings::files::figment();
    let timeout = format!("databases.{}.timeout", database_entry(&figment));
    let patient = Operator::with(figment.merge((timeout, "60s"))).await?;
    let live = operator.live.count().await?;
    known_devices::delete_all(patient.database()?).await?;
    patient.live.clear().await?;
    unless_zero(live, || "there is no session".into())
}

/// Ends the session whose key begins with `key`. Fails if several do.
async fn revoke_one(
    operator: &Operator,
    key: &str,
    output: &mut Output,
) -> Result<u64, CommandFailure> {
    let whole = Key::from_stored(key.to_owned());
    if operator.live.revoke(&whole).await? {
        return Ok(1);
    }
    // Keys are sorted, and a prefix sorts before all keys that begin with it.
    let mut found = operator.live.all(Some(&whole), 10).await?;
    found.retain(|device| device.key.as_str().starts_with(key));
    if let [_, _, ..] = *found {
        output.begin(operator.live.now())?;
        write(operator, &found, output).await?;
        output.end()?;
        let longer =
            |device: &SessionInfo| device.key.as_str().chars().take(16).collect::<String>();
        let longer: Vec<_> = found.iter().map(longer).collect();
        return Err(CommandFailure::Failed(format!(
            "several sessions have a key that begins with {key}, so none was ended; give more characters: {}",
            longer.join(", ")
        )));
    }
    let ended = match found.first() {
        Some(device) => operator.live.revoke(&device.key).await?,
        None => false,
    };
    unless_zero(u64::from(ended), || {
        format!("no session has a key that begins with {key}")
    })
}

fn unless_zero(count: u64, otherwise: impl FnOnce() -> String) -> Result<u64, CommandFailure> {
    match count {
        0 => Err(CommandFailure::NotFound(otherwise())),
        count => Ok(count),
    }
}

/// Parses the value of `--key`.
pub(super) fn beginning_of_a_key(text: &str) -> Result<String, String> {
    let key = text.to_ascii_lowercase();
    let hexadecimal = key.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal && (8..=64).contains(&key.len()) {
        Ok(key)
    } else {
        Err("give at least the 8 characters that `sessions list` shows".into())
    }
}

pub(super) async fn cleanup(output: &mut Output) -> Result<(), CommandFailure> {
    let operator = Operator::new().await?;
    let mut reported_at = Instant::now();
    let progress = |count| {
        if reported_at.elapsed() >= Duration::from_secs(1) {
            reported_at = Instant::now();
            let _ = writeln!(io::stderr(), "{count} expired sessions deleted so far");
        }
    };
    let deleted = operator.live.delete_expired(progress).await?;
    let text = format!("{deleted} expired sessions deleted");
    Ok(output.answer(&json!({ "deleted": deleted }), text)?)
}
