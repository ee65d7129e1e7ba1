//! Checks that a Redis server is set up to keep sessions.

use std::collections::{BTreeSet, HashMap};

use redis::{Connection, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, cmd};

use crate::error::{Error, require, require_room};

/// Fails for servers that evict sessions, and warns of servers that lose them in a restart or crash.
pub(super) fn check(
    nodes: &mut [Connection],
    cluster: bool,
    allow_eviction: bool,
    max_data: u64,
) -> Result<(), Error> {
    let mut warnings = BTreeSet::new();
    for node in nodes {
        let settings = ServerSettings::read(node).map_err(|cause| {
            Error::unavailable("the settings of Redis could not be read").with_source(cause)
        })?;
        require(cluster || !settings.in_cluster, || {
            "it is a node of a cluster; write its url as redis-cluster://host:port,host:port".into()
        })?;
        require_room(max_data, "proto-max-bulk-len", settings.longest)?;
        if settings.info.is_none() {
            warnings.insert(unchecked("INFO"));
            continue;
        }
        let policy = settings.of("maxmemory_policy");
        require(allow_eviction || policy == "noeviction", || {
            format!(
                "its maxmemory-policy is {policy:?}, which ends sessions when memory runs out; set it to \
                 noeviction, or accept that by allow_eviction = true"
            )
        })?;
        let loss = settings.loss();
        warnings.extend(loss.map(|loss| format!("sessions are kept in a Redis {loss}")));
    }
    for warning in warnings {
        log::warn!("{warning}");
    }
    Ok(())
}

/// Returns `true` if the server forbids a command to this user or to all.
pub(super) fn is_forbidden(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::NoPerm) => true,
        ErrorKind::Server(ServerErrorKind::ResponseError) => {
            error.to_string().contains("unknown command")
        }
        _ => false,
    }
}

/// Returns the warning for a forbidden command that the checks need.
pub(super) fn unchecked(command: &str) -> String {
    format!(
        "Redis forbids {command} to this user, so it is not checked whether it keeps sessions: set \
         maxmemory-policy noeviction and appendonly yes in redis.conf, or allow the command"
    )
}

struct ServerSettings {
    /// `None` if the server forbids the command; the same below.
    info: Option<String>,
    in_cluster: bool,
    save: Option<String>,
    fsync: Option<String>,
    /// The longest value that the server accepts, in bytes.
    longest: Option<u64>,
}

impl ServerSettings {
    fn read(node: &mut Connection) -> RedisResult<Self> {
        let info: Option<String> = unless_forbidden(cmd("INFO").arg("everything").query(node))?;
        // Only a node of a cluster knows slots.
        let slot = cmd("CLUSTER").arg("KEYSLOT").arg("").query::<u16>(node);
        Ok(Self {
            info,
            in_cluster: slot.is_ok(),
            save: config(node, "save"),
            fsync: config(node, "appendfsync"),
            longest: config(node, "proto-max-bulk-len").and_then(|bytes| bytes.parse().ok()),
        })
    }

    fn of(&self, name: &str) -> &str {
        let info = self.info.as_deref().unwrap_or_default();
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default()
    }

    /// Returns what a restart or a crash of the server loses, and the remedy.
    fn loss(&self) -> Option<String> {
        if self.of("aof_enabled") == "1" {
            return self.loss_by_crash();
        }
        let loss = match self.save.as_deref() {
            Some("") => "that keeps nothing on disk: its restart ends every session".into(),
            Some(save) => format!(
                "that writes to disk now and then (save {save:?}): its restart loses all sign-ins and all \
                 changes since, and brings back what was ended since"
            ),
            None => {
                "whose append-only file is off: its restart may end every session or bring back ended ones"
                    .into()
            }
        };
        Some(loss + "; set appendonly yes in redis.conf")
    }

    fn loss_by_crash(&self) -> Option<String> {
        let (loss, span) = match self.fsync.as_deref()? {
            "everysec" => (
                "that writes to disk once a second (appendfsync everysec): its crash loses",
                "second",
            ),
            "no" => (
                "that leaves writing to disk to the operating system (appendfsync no): a crash of its \
                 machine loses",
                "30 seconds",
            ),
            _ => return None,
        };
        Some(format!(
            "{loss} acknowledged changes of about the last {span}, sign-outs among them; appendfsync always \
             loses none, and each write waits for the disk"
        ))
    }
}

/// Returns a setting; `None` if the server refuses CONFIG, as many hosted servers do.
fn config(node: &mut Connection, name: &str) -> Option<String> {
    let settings = cmd("CONFIG").arg("GET").arg(name).query(node);
    let settings: HashMap<String, String> = settings.ok()?;
    settings.into_values().next()
}

fn unless_forbidden<T: FromRedisValue>(answer: RedisResult<T>) -> RedisResult<Option<T>> {
    match answer {
        Err(error) if is_forbidden(&error) => Ok(None),
        other => other.map(Some),
    }
}
