//! Runs the migrations of sessions and accounts.

use std::io::{self, Write};

use super::captured_log;
use super::failure::CommandFailure;
use super::operator::Operator;
use crate::settings;

pub(super) async fn migrate() -> Result<(), CommandFailure> {
    let operator = Operator::migrated(settings::files::figment()).await?;
    operator.database()?;
    let done = match captured_log::migrations() {
        lines if lines.is_empty() => "all migrations ran before".to_owned(),
        lines => lines.join("\n"),
    };
    Ok(writeln!(io::stdout(), "{done}")?)
}
