//! Closes accounts, opens them again, and canonicalizes e-mail addresses.

use std::io::{self, Write};

use rocket::serde::json::json;

use super::UsersCommand;
use super::failure::CommandFailure;
use super::operator::Operator;
use crate::accounts::email;
use crate::db::{known_devices, users};

pub(super) async fn carry_out(command: UsersCommand) -> Result<(), CommandFailure> {
    let done = match command {
        UsersCommand::Disable { email } => disable(&email).await?,
        UsersCommand::Enable { email } => enable(&email).await?,
        UsersCommand::Canonicalize => canonicalize().await?,
    };
    Ok(writeln!(io::stdout(), "{done}")?)
}

/// Ends the sessions last, so that a sign-in during the command is among them.
async fn disable(email: &str) -> Result<String, CommandFailure> {
    let operator = Operator::new().await?;
    let user = operator.user(email).await?;
    let now = operator.live.now().timestamp_millis();
    let changed =
        users::set_disabled_at(operator.database()?, user.id.clone(), Some(now), now).await?;
    if changed {
        log_event(&operator, &user.id, "disabled");
    }
    known_devices::delete_of_user(operator.database()?, &user.id, None).await?;
    let live = operator.live.list(&user.id).await?.len();
    operator.live.revoke_all(&user.id).await?;
    let state = if changed {
        "is disabled"
    } else {
        "was disabled before"
    };
    Ok(format!(
        "{} {state}; sessions ended: {live}",
        user.profile.email
    ))
}

async fn enable(email: &str) -> Result<String, CommandFailure> {
    let operator = Operator::new().await?;
    let user = operator.user(email).await?;
    let now = operator.live.now().timestamp_millis();
    let changed = users::set_disabled_at(operator.database()?, user.id.clone(), None, now).await?;
    if changed {
        log_event(&operator, &user.id, "enabled");
    }
    let state = if changed {
        "is enabled"
    } else {
        "was not disabled"
    };
    Ok(format!("{} {state}", user.profile.email))
}

async fn canonicalize() -> Result<String, CommandFailure> {
    let operator = Operator::new().await?;
    let done = email::canonicalize_stored(operator.database()?).await?;
    let kept = match done.kept.as_slice() {
        [] => String::new(),
        ids => format!("; another account has the address of {}", ids.join(", ")),
    };
    Ok(format!("e-mail addresses changed: {}{kept}", done.changed))
}

fn log_event(operator: &Operator, user_id: &str, change: &str) {
    let details = json!({ "user": user_id, "change": change });
    operator.live.event("user_updated", details);
}
