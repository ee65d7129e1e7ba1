//! Checks settings, database, tables and cookie.

use std::fmt;
use std::time::Instant;

use rocket::figment::Figment;
use rocket::figment::value::Value;
use rocket::serde::Serialize;
use rocket::serde::json::json;

use super::failure::CommandFailure;
use super::operator::{Operator, database_entry};
use super::output::Output;
use crate::db::{self, users};
use crate::settings;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(crate = "rocket::serde", rename_all = "lowercase")]
enum CheckStatus {
    Ok,
    Warning,
    Failed,
}

#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct CheckLine {
    name: &'static str,
    status: CheckStatus,
    detail: String,
}

impl fmt::Display for CheckLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            CheckStatus::Ok => "ok",
            CheckStatus::Warning => "warning",
            CheckStatus::Failed => "failed",
        };
        write!(formatter, "{status:8} {:14} {}", self.name, self.detail)
    }
}

pub(super) async fn check(output: &mut Output) -> Result<(), CommandFailure> {
    let lines = lines(&settings::files::figment()).await;
    let status = lines.iter().map(|line| line.status).max();
    let text: Vec<_> = lines.iter().map(CheckLine::to_string).collect();
    output.answer(
        &json!({ "status": status, "checks": lines }),
        text.join("\n"),
    )?;
    match status {
        Some(CheckStatus::Failed) => Err(CommandFailure::Failed(
            "The check failed; fix the items marked \"failed\".".into(),
        )),
        _ => Ok(()),
    }
}

async fn lines(figment: &Figment) -> Vec<CheckLine> {
    let entry = database_entry(figment);
    // With a store in memory, only the settings can fail.
    let url = format!("databases.{entry}.url");
    let settings = Operator::with(figment.clone().merge((url, "memory:"))).await;
    let profile = figment.profile();
    let detail = format!("profile {profile}, sessions in databases.{entry}");
    let mut lines = vec![line(
        "configuration",
        settings.map(|_| (CheckStatus::Ok, detail)),
    )];
    if lines[0].status == CheckStatus::Failed {
        return lines;
    }
    lines.push(cookie(figment));
    let operator = match Operator::with(figment.clone()).await {
        Ok(operator) => operator,
        Err(failure) => {
            lines.push(line("database", Err(failure)));
            return lines;
        }
    };
    lines.push(line("database", round_trip(&operator).await));
    lines.push(line("clock", Ok(clock(&operator))));
    lines.push(line("tables", tables(&operator).await));
    lines.push(line("columns", columns(&operator).await));
    lines.push(line("sessions", counts(&operator).await));
    lines
}

fn line(name: &'static str, found: Result<(CheckStatus, String), CommandFailure>) -> CheckLine {
    let (status, detail) =
        found.unwrap_or_else(|failure| (CheckStatus::Failed, failure.line().unwrap_or_default()));
    CheckLine {
        name,
        status,
        detail,
    }
}

/// Measures one round trip to the database. A request makes one or two.
async fn round_trip(operator: &Operator) -> Result<(CheckStatus, String), CommandFailure> {
    let database = operator.database()?;
    users::ping(database).await?;
    let start = Instant::now();
    users::ping(database).await?;
    let millis = start.elapsed().as_secs_f64() * 1_000.0;
    Ok(if millis < 50.0 {
        (CheckStatus::Ok, format!("answers in {millis:.1} ms"))
    } else {
        let detail = format!("takes {millis:.0} ms to answer, and each request waits for it");
        (CheckStatus::Warning, detail)
    })
}

/// Reports the clock difference, which was measured when the store was opened.
fn clock(operator: &Operator) -> (CheckStatus, String) {
    let Some(difference) = operator.live.clock_difference() else {
        return (CheckStatus::Ok, "sessions use this machine's".into());
    };
    let seconds = difference.as_seconds_f64();
    let (status, remedy) = match seconds.abs() > 1.0 {
        true => (CheckStatus::Warning, "; synchronise both with NTP"),
        false => (CheckStatus::Ok, ""),
    };
    let direction = match seconds > 0.0 {
        true => "ahead of",
        false => "behind",
    };
    let apart = seconds.abs();
    let detail = format!("{apart:.1} s {direction} the database server's{remedy}");
    (status, detail)
}

async fn tables(operator: &Operator) -> Result<(CheckStatus, String), CommandFailure> {
    operator.live.probe().await?;
    let database = operator.database()?;
    db::check_tables(database).await?;
    let detail = "a record was stored, changed, read and deleted; users, attempts and known \
                  devices can be read";
    Ok((CheckStatus::Ok, detail.into()))
}

/// Compares the sessions table with what this version needs.
async fn columns(operator: &Operator) -> Result<(CheckStatus, String), CommandFailure> {
    let statements = operator.database()?.alterations().await?;
    Ok(match statements.is_empty() {
        true => (
            CheckStatus::Ok,
            "the sessions table is as it must be".into(),
        ),
        false => {
            let sql = statements.join("; ");
            let detail = format!("the sessions table differs; run as its owner: {sql};");
            (CheckStatus::Warning, detail)
        }
    })
}

async fn counts(operator: &Operator) -> Result<(CheckStatus, String), CommandFailure> {
    let (live, expired) = (operator.live.count().await?, operator.live.expired().await?);
    Ok((CheckStatus::Ok, format!("{live} live, {expired} expired")))
}

/// Reports the cookie's attributes. The settings are valid by now, and the defaults are safe.
fn cookie(figment: &Figment) -> CheckLine {
    let setting = |name: &str| figment.find_value(&format!("session.cookie.{name}")).ok();
    let is_off = |name: &str| setting(name).and_then(|value| value.to_bool()) == Some(false);
    let text = |name: &str| setting(name).and_then(Value::into_string);
    let insecure = "not Secure, so any network on the way can read it: set session.cookie.secure = true if the site has https";
    let readable = "not HttpOnly, so any script can read it: set session.cookie.http_only = true";
    let secure = match text("secure") {
        Some(_) => "Secure where the request came over TLS",
        None => "Secure",
    };
    let same_site = text("same_site").unwrap_or_else(|| "lax".to_owned());
    let mut attributes = vec![format!("SameSite={same_site}")];
    let mut status = CheckStatus::Ok;
    for (name, attribute, warning) in [
        ("http_only", "HttpOnly", readable),
        ("secure", secure, insecure),
    ] {
        let off = is_off(name);
        status = status.max(if off {
            CheckStatus::Warning
        } else {
            CheckStatus::Ok
        });
        attributes.push(if off { warning } else { attribute }.to_owned());
    }
    line("cookie", Ok((status, attributes.join(", "))))
}
