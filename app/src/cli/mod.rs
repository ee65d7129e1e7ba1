//! Runs the commands of the command line beside the running server.

mod captured_log;
mod check;
mod failure;
mod migrate;
mod operator;
mod output;
mod sessions;
mod users;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use rocket::tokio::runtime;

use self::failure::CommandFailure;
use self::output::Output;

const EXIT_CODES: &str = "\
Settings are the server's: Rocket.toml, ROCKET_PROFILE and the other ROCKET_… variables.

Exit codes:
  0  done
  1  failed: a setting is wrong, or the database cannot be used
  2  wrong usage
  3  nothing found: no such user, or no session to end";

/// Serve the application, or manage its sessions and users
#[derive(Parser)]
#[command(name = "rocket_diesel_session", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List, count, revoke and clean up sessions, or check the configuration
    Sessions(SessionsCommand),
    /// Run the pending migrations, as an account that owns the tables
    Migrate,
    /// Close accounts and open them again
    #[command(subcommand)]
    Users(UsersCommand),
}

#[derive(Args)]
pub(crate) struct SessionsCommand {
    /// Print one JSON document; its times are RFC 3339 in UTC
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the live sessions
    List {
        /// List the sessions of one user, the most recently used first
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Count the live sessions
    Count,
    /// Revoke sessions: the next request of their browsers is signed out
    Revoke {
        #[command(flatten)]
        which: Selection,
        /// Confirm --all
        #[arg(long)]
        yes: bool,
    },
    /// Delete the expired sessions now
    Cleanup,
    /// Check settings, database, tables and cookie; stores a record and deletes it
    Check,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Selection {
    /// Revoke all sessions of a user
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Revoke the session whose key begins with KEY, as `list` shows it
    #[arg(long, value_name = "KEY", value_parser = sessions::beginning_of_a_key)]
    key: Option<String>,
    /// Revoke every session
    #[arg(long, requires = "yes")]
    all: bool,
}

#[derive(Subcommand)]
pub(crate) enum UsersCommand {
    /// Close an account and end its sessions; its owner can no longer sign in
    Disable { email: String },
    /// Open a closed account again
    Enable { email: String },
    /// Canonicalize the e-mail addresses that an earlier release stored
    Canonicalize,
}

/// Parses the command line. Returns `None` if the server is to run.
pub(crate) fn command() -> Option<Command> {
    Arguments::parse().command
}

pub(crate) fn run(command: Command) -> ExitCode {
    captured_log::start();
    let done = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CommandFailure::from)
        .and_then(|runtime| runtime.block_on(carry_out(command)));
    let Err(failure) = done else {
        return ExitCode::SUCCESS;
    };
    if let Some(line) = failure.line() {
        let _ = writeln!(io::stderr(), "rocket_diesel_session: {line}");
    }
    failure.code()
}

async fn carry_out(command: Command) -> Result<(), CommandFailure> {
    match command {
        Command::Sessions(SessionsCommand { json, verb }) => {
            let mut output = Output::new(json);
            let done = match verb {
                Verb::List { user } => sessions::list(user, &mut output).await,
                Verb::Count => sessions::count(&mut output).await,
                Verb::Revoke { which, .. } => sessions::revoke(which, &mut output).await,
                Verb::Cleanup => sessions::cleanup(&mut output).await,
                Verb::Check => check::check(&mut output).await,
            };
            output.flush()?;
            done
        }
        Command::Migrate => migrate::migrate().await,
        Command::Users(users) => users::carry_out(users).await,
    }
}
