//! Pooled connections to one Redis server or to a cluster.

use std::time::{Duration, Instant};

use redis::cluster::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{
    Cmd, ConnectionLike, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, cmd,
    from_redis_value,
};

use super::address::Address;
use super::broken;
use crate::error::Error;
use crate::pool::{Bounds, Repeat, Trust};

pub(super) enum Link {
    One(redis::Connection),
    /// Asks the nodes itself where a key is, and is thrown away when that has changed.
    Cluster(Box<ClusterConnection>),
}

/// A connection, until it is known to be of no use any more.
pub(super) struct Connection {
    link: Link,
    used_at: Instant,
    lost: bool,
}

/// How often a cluster may send a command on to another node.
const REDIRECTIONS: u32 = 5;

impl Connection {
    /// Has a command done. One whose outcome is unknown is not repeated here.
    pub(super) fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        let cluster = match &mut self.link {
            Link::One(connection) => return command.query(connection),
            Link::Cluster(cluster) => cluster,
        };
        let mut answer = cluster.req_command(command);
        for _ in 0..REDIRECTIONS {
            let Err(error) = &answer else { break };
            let Some(node) = redirection(error) else {
                break;
            };
            if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) {
                cluster.route_command(&cmd("ASKING"), node.clone())?;
            } else {
                self.lost = true;
            }
            answer = cluster.route_command(command, node);
        }
        Ok(from_redis_value(answer?)?)
    }

    fn is_open(&self) -> bool {
        match &self.link {
            Link::One(connection) => connection.is_open(),
            Link::Cluster(cluster) => cluster.is_open(),
        }
    }
}

fn redirection(error: &RedisError) -> Option<RoutingInfo> {
    let (node, _slot) = error.redirect_node()?;
    let (host, port) = node.rsplit_once(':')?;
    Some(RoutingInfo::SingleNode(SingleNodeRoutingInfo::ByAddress {
        host: host.to_owned(),
        port: port.parse().ok()?,
    }))
}

/// Opens connections for r2d2.
pub(super) struct Manager {
    address: Address,
    trust: Trust,
}

impl Manager {
    pub(super) fn pool(address: Address, bounds: &Bounds) -> r2d2::Pool<Self> {
        bounds.pool(Self {
            address,
            trust: Trust::default(),
        })
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Connection;
    type Error = RedisError;

    fn connect(&self) -> RedisResult<Connection> {
        let link = match self.address.cluster {
            false => Link::One(self.address.open()?),
            true => Link::Cluster(Box::new(self.address.open_cluster()?)),
        };
        Ok(Connection {
            link,
            used_at: Instant::now(),
            lost: false,
        })
    }

    fn is_valid(&self, connection: &mut Connection) -> RedisResult<()> {
        if self.trust.covers(connection.used_at) {
            return Ok(());
        }
        connection.query(&cmd("PING"))
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.used_at = Instant::now();
        let broken = connection.lost || std::thread::panicking() || !connection.is_open();
        if broken {
            self.trust.end();
        }
        broken
    }
}

const ATTEMPTS: u32 = 3;

/// Does `work` on a connection, again where it is known not to have happened or does no harm.
pub(super) fn run<T>(
    pool: &r2d2::Pool<Manager>,
    repeat: Repeat,
    mut work: impl FnMut(&mut Connection) -> RedisResult<T>,
) -> Result<T, Error> {
    let mut attempt = 1;
    loop {
        let mut connection = pool
            .get()
            .map_err(|cause| Error::unavailable("Redis gives no connection").because(cause))?;
        let error = match work(&mut connection) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        // Elsewhere it may be done; and a connection that was given up on would read the old answer
        // next.
        let undone = is_refusal(&error);
        let lost = error.is_io_error();
        connection.lost |= undone || lost;
        drop(connection);
        let repeatable = undone || lost && repeat == Repeat::Harmless && !error.is_timeout();
        if attempt == ATTEMPTS || !repeatable {
            return Err(broken(error));
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(
            ..10 * u64::from(attempt),
        )));
        attempt += 1;
    }
}

/// Whether a server said that it does nothing of the kind now, and perhaps another one does.
fn is_refusal(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
    let at_this_node = [BusyLoading, MasterDown, ReadOnly].map(ErrorKind::Server);
    error.is_cluster_error() || at_this_node.contains(&error.kind())
}
