//! The servers that hold records: one, or the nodes of a cluster.
//!
//! Each node has its own pool, so that a node that does not answer delays no work on the others.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::cluster_routing::Slot;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};

use super::address::Address;
use super::broken;
use super::connection::{Connection, RedisConnector};
use crate::error::{Effect, Error};
use crate::store::pool::{Bounds, Idempotent};

type Pool = r2d2::Pool<RedisConnector>;
pub(super) type RedisLease = r2d2::PooledConnection<RedisConnector>;

pub(super) struct Nodes {
    pub(super) address: Address,
    bounds: Bounds,
    known: Mutex<Topology>,
}

/// The known nodes, each by its host and port.
#[derive(Default)]
struct Topology {
    pools: HashMap<String, Pool>,
    /// The node that the last redirect for a slot named.
    holders: HashMap<Slot, String>,
    /// The nodes that left a command without a reply, until they reply to one.
    silent: HashSet<String>,
    /// The index of the node of the URL that is asked for all other slots; a failure advances it.
    failed: usize,
}

/// How often work is tried, on the same node or on the node that it names.
const ATTEMPTS: u32 = 5;

impl Nodes {
    pub(super) fn new(address: Address, bounds: Bounds) -> Self {
        Self {
            address,
            bounds,
            known: Mutex::default(),
        }
    }

    /// Runs `work` on a connection to the node that holds the key `name`; repeats it if it is known not to
    /// have happened, or is idempotent.
    pub(super) fn run<T>(
        &self,
        name: &str,
        idempotent: Idempotent,
        mut work: impl FnMut(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Error> {
        let slot = Slot::for_key(name);
        let (mut node, mut asking, mut attempt) = (self.holder(slot), false, 1);
        loop {
            let mut connection = self.connect(&node)?;
            connection.asking = asking;
            let error = match work(&mut connection) {
                Ok(value) => {
                    self.known().silent.remove(&node);
                    return Ok(value);
                }
                Err(error) => error,
            };
            let (lost, undone) = (error.is_io_error(), is_refusal(&error));
            // After a timeout the connection would read the stale reply.
            connection.lost = lost || is_dead_end(&error, &node);
            drop(connection);
            if lost {
                self.forget(&node);
            }
            let repeatable = undone || lost && idempotent == Idempotent::Yes && !error.is_timeout();
            if attempt == ATTEMPTS || !repeatable {
                let effect = match idempotent {
                    Idempotent::No | Idempotent::Batch if lost => Effect::Unknown,
                    _ => Effect::Final,
                };
                return Err(broken(error).with_effect(effect));
            }
            attempt += 1;
            asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
            node = match named(&error, &node) {
                Some(other) if asking => other,
                Some(other) => self.learn(slot, other),
                None => {
                    pause(attempt);
                    self.holder(slot)
                }
            };
        }
    }

    pub(super) fn connect(&self, node: &str) -> Result<RedisLease, Error> {
        self.pool(node).get().map_err(|cause| {
            self.forget(node);
            Error::unavailable("no connection to Redis is available").with_source(cause)
        })
    }

    pub(super) fn is_silent(&self, node: &str) -> bool {
        self.known().silent.contains(node)
    }

    fn known(&self) -> MutexGuard<'_, Topology> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the node of a slot; before a redirect named it, a node of the URL, which redirects.
    pub(super) fn holder(&self, slot: Slot) -> String {
        let known = self.known();
        let holder = known.holders.get(&slot).cloned();
        holder.unwrap_or_else(|| self.address.node(known.failed))
    }

    fn learn(&self, slot: Slot, holder: String) -> String {
        self.known().holders.insert(slot, holder.clone());
        holder
    }

    fn pool(&self, node: &str) -> Pool {
        let mut known = self.known();
        if let Some(pool) = known.pools.get(node) {
            return pool.clone();
        }
        let pool = RedisConnector::pool(self.address.clone(), node.to_owned(), &self.bounds);
        known.pools.insert(node.to_owned(), pool.clone());
        pool
    }

    /// Asks elsewhere for the slots of a node that does not answer: a replica may have taken over.
    pub(super) fn forget(&self, node: &str) {
        let mut known = self.known();
        known.silent.insert(node.to_owned());
        known.holders.retain(|_, holder| holder != node);
        if self.address.node(known.failed) == node {
            known.failed = known.failed.wrapping_add(1);
        }
    }
}

/// The node that is named by another one as the right one.
fn named(error: &RedisError, by: &str) -> Option<String> {
    let (node, _slot) = error.redirect_node()?;
    let on_the_same_host = |port| Some(format!("{}:{port}", by.rsplit_once(':')?.0));
    match node.strip_prefix(':') {
        Some(port) => on_the_same_host(port),
        None => Some(node.to_owned()),
    }
}

/// Whether a server said that it does nothing of the kind now, and perhaps another one does.
fn is_refusal(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
    let at_this_node = [BusyLoading, MasterDown, ReadOnly].map(ErrorKind::Server);
    error.is_cluster_error() || at_this_node.contains(&error.kind())
}

/// Returns `true` if a server refuses and names no other: its host name may lead to another one by now.
pub(super) fn is_dead_end(error: &RedisError, by: &str) -> bool {
    is_refusal(error) && named(error, by).is_none()
}

fn pause(attempt: u32) {
    let longest = 10 * u64::from(attempt);
    std::thread::sleep(Duration::from_millis(fastrand::u64(..longest)));
}
