//! Opens the server's sessions and users for a command, with the server's settings.

use rocket::error::ErrorKind;
use rocket::figment::Figment;
use rocket_diesel_session::{Database, LiveSessions};

use super::captured_log;
use super::failure::CommandFailure;
use crate::accounts::{self, email};
use crate::db::users::{self, Credentials};
use crate::settings;

pub(super) struct Operator {
    pub(super) live: LiveSessions,
}

impl Operator {
    pub(super) async fn new() -> Result<Self, CommandFailure> {
        let operator = Self::with(settings::files::figment()).await?;
        operator.database()?;
        Ok(operator)
    }

    /// Ignites a server without launching it, without changing the tables and without a cleanup.
    pub(super) async fn with(figment: Figment) -> Result<Self, CommandFailure> {
        Self::ignited(figment.merge(("session.migrate", false))).await
    }

    /// Runs the migrations, as the launch of a server does.
    pub(super) async fn migrated(figment: Figment) -> Result<Self, CommandFailure> {
        Self::ignited(figment.merge(("session.migrate", true))).await
    }

    async fn ignited(figment: Figment) -> Result<Self, CommandFailure> {
        let figment = with_events_on_stderr(figment)
            .merge(("session.create_table", false))
            .merge(("session.cleanup_interval", "off"));
        let rocket = rocket::custom(figment)
            .attach(settings::stage())
            .attach(accounts::sessions())
            .attach(email::migration())
            .ignite()
            .await
            .map_err(|error| launch_failure(&error))?;
        let live = LiveSessions::of(&rocket);
        let live =
            live.ok_or_else(|| CommandFailure::Failed("the sessions did not open".into()))?;
        Ok(Self { live })
    }

    pub(super) fn database(&self) -> Result<&Database, CommandFailure> {
        self.live.database().ok_or_else(|| {
            CommandFailure::Failed(
                "the sessions are in the memory of the server, which a command cannot read; set an SQL url in [default.databases]"
                    .into(),
            )
        })
    }

    /// Returns the account with this e-mail address.
    pub(super) async fn user(&self, email: &str) -> Result<Credentials, CommandFailure> {
        let email = email::canonical(email);
        let known = users::credentials(self.database()?, email.clone()).await?;
        known.ok_or_else(|| {
            CommandFailure::NotFound(format!(
                "no user has the e-mail address {email:?}; check its spelling"
            ))
        })
    }
}

/// Redirects events from stdout to stderr, so that stdout holds only the answer.
fn with_events_on_stderr(figment: Figment) -> Figment {
    match figment.extract_inner::<String>("session.events") {
        Ok(events) if events == "stdout" => figment.merge(("session.events", "stderr")),
        _ => figment,
    }
}

/// Returns the entry of `[default.databases]` that holds the sessions.
pub(super) fn database_entry(figment: &Figment) -> String {
    let name = figment.extract_inner("session.database");
    name.unwrap_or_else(|_| "app".to_owned())
}

fn launch_failure(error: &rocket::Error) -> CommandFailure {
    CommandFailure::Failed(match error.kind() {
        ErrorKind::FailedFairings(_) => captured_log::errors(),
        ErrorKind::Config(cause) => cause.to_string().replace('\n', "; "),
        other => other.to_string(),
    })
}
