//! Pooled connections to one Redis server.

use std::time::Instant;

use redis::{
    Cmd, ConnectionLike, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, Value, cmd,
};

use super::address::Address;
use crate::store::pool::connection_errors::LogConnectionErrors;
use crate::store::pool::{Bounds, Outdated, Trust};

/// A connection, and whether the pool must close it.
pub(super) struct Connection {
    link: redis::Connection,
    /// The next command is for a key that is moving to this server.
    pub(super) asking: bool,
    pub(super) lost: bool,
    made_at: Instant,
    used_at: Instant,
}

impl Connection {
    pub(super) fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        if self.asking {
            cmd("ASKING").exec(&mut self.link)?;
        }
        command.query(&mut self.link)
    }

    pub(super) fn send(&mut self, commands: &Pipeline) -> RedisResult<()> {
        self.link
            .send_packed_command(&commands.get_packed_pipeline())
    }

    /// Returns the next reply to what was sent, which may be the error of one command.
    ///
    /// The client's own way to run a pipeline waits for each further reply after a timeout.
    pub(super) fn receive(&mut self) -> RedisResult<Value> {
        self.link.recv_response()
    }
}

/// Opens connections for r2d2.
pub(super) struct RedisConnector {
    address: Address,
    node: String,
    trust: Trust,
    errors: LogConnectionErrors,
    /// Connections to a former primary of sentinels.
    outdated: Outdated,
}

impl RedisConnector {
    pub(super) fn pool(address: Address, node: String, bounds: &Bounds) -> r2d2::Pool<Self> {
        bounds.pool(Self {
            address,
            node,
            trust: Trust::default(),
            errors: LogConnectionErrors::default(),
            outdated: Outdated::default(),
        })
    }
}

impl r2d2::ManageConnection for RedisConnector {
    type Connection = Connection;
    type Error = RedisError;

    fn connect(&self) -> RedisResult<Connection> {
        let link = self.address.open(&self.node);
        let now = Instant::now();
        Ok(Connection {
            link: link.inspect_err(|error| self.errors.log(error))?,
            asking: false,
            lost: false,
            made_at: now,
            used_at: now,
        })
    }

    fn is_valid(&self, connection: &mut Connection) -> RedisResult<()> {
        if self.outdated.covers(connection.made_at) {
            return Err((ErrorKind::Client, "the connection is outdated").into());
        }
        if self.trust.covers(connection.used_at) {
            return Ok(());
        }
        cmd("PING").exec(&mut connection.link)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.used_at = Instant::now();
        let broken = connection.lost || std::thread::panicking() || !connection.link.is_open();
        if broken {
            self.trust.end();
            if self.address.sentinels.is_some() {
                self.outdated.mark_all();
            }
        }
        broken
    }
}
