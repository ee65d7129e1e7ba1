//! What a server must be set to before sessions are trusted to it.

use std::collections::{BTreeSet, HashMap};

use redis::{Connection, RedisResult, cmd};

use crate::error::{Error, require};

/// Refuses servers that throw sessions away, and warns of those that forget them.
pub(super) fn check(
    nodes: &mut [Connection],
    cluster: bool,
    allow_eviction: bool,
) -> Result<(), Error> {
    let mut losses = BTreeSet::new();
    for node in nodes {
        let settings = Settings::read(node).map_err(|cause| {
            Error::unavailable("Redis did not tell its settings").because(cause)
        })?;
        require(cluster || settings.of("cluster_enabled") != "1", || {
            "it is a node of a cluster; write its url as redis-cluster://host:port,host:port".into()
        })?;
        let policy = settings.of("maxmemory_policy");
        require(allow_eviction || policy == "noeviction", || {
            format!(
                "its maxmemory-policy is {policy:?}, which ends sessions when memory runs out; set it to \
                 noeviction, or accept that by allow_eviction = true"
            )
        })?;
        losses.extend(settings.loss());
    }
    for loss in losses {
        log::warn!("sessions are kept in a Redis {loss}; set appendonly yes in redis.conf");
    }
    Ok(())
}

struct Settings {
    info: String,
    /// Empty where the server does not let us ask.
    config: HashMap<String, String>,
}

impl Settings {
    fn read(node: &mut Connection) -> RedisResult<Self> {
        Ok(Self {
            info: cmd("INFO").arg("everything").query(node)?,
            // Many hosted servers refuse CONFIG.
            config: cmd("CONFIG")
                .arg("GET")
                .arg("save")
                .query(node)
                .unwrap_or_default(),
        })
    }

    fn of(&self, name: &str) -> &str {
        let line = self
            .info
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default()
    }

    /// What a restart of the server would cost.
    fn loss(&self) -> Option<String> {
        match (self.of("aof_enabled"), self.config.get("save").map(String::as_str)) {
            ("1", _) => None,
            (_, Some("")) => Some("that keeps nothing on disk: its restart ends every session".into()),
            (_, Some(save)) => Some(format!(
                "that writes to disk now and then (save {save:?}): its restart loses all sign-ins and all \
                 changes since, and brings back what was ended since"
            )),
            (_, None) => Some(
                "whose append-only file is off: its restart may end every session or bring back ended ones"
                    .into(),
            ),
        }
    }
}
