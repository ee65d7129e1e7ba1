//! Loads and saves of several sessions by one pipeline for each node.

use std::collections::BTreeMap;

use redis::cluster_routing::Slot;
use redis::{Cmd, FromRedisValue, Pipeline, RedisError, Value, cmd};

use super::encoding::{PENDING, lifetime, record};
use super::nodes::{Nodes, RedisLease, is_dead_end};
use super::record_ops::{create_arguments, replace_arguments, touch_arguments};
use super::script::{CREATE, REPLACE, TOUCH};
use super::{RedisStore, broken, fields_of};
use crate::error::{Effect, Error};
use crate::store::pool::Idempotent;
use crate::store::{Loaded, Save, Store, Updated};
use crate::token::Key;

/// A command, and the name that it works on.
type NamedCommand = (String, Cmd);

impl RedisStore {
    /// Returns `true` for a batch of one that the verb for one serves as well.
    ///
    /// In a cluster that verb would follow a redirect to a node that hangs, and hold up the next batch.
    pub(super) fn is_lone<T>(&self, batch: &[T]) -> bool {
        batch.len() == 1 && !self.nodes.address.cluster
    }

    pub(super) fn load_batch(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        let found = self.read_many(keys, fields_of).into_iter().zip(keys);
        let live = found.map(|(fields, key)| {
            let record = record(key, fields?).filter(|record| record.expires_at > now);
            Ok(record.map(|record| (record, None)))
        });
        live.collect()
    }

    pub(super) fn expiry_batch(&self, keys: &[&Key], now: i64) -> Vec<Result<Option<i64>, Error>> {
        let read = |name: &str| {
            let mut read = cmd("HMGET");
            read.arg(name).arg("expires_at").arg(PENDING);
            read
        };
        let found = self.read_many::<(Option<i64>, Option<String>)>(keys, read);
        let is_undone = |error: &Error| error.effect() == Effect::Undone;
        let undone = found
            .iter()
            .position(|it| it.as_ref().is_err_and(is_undone));
        if let Some(undone) = undone {
            // Follows the redirect of a cluster, so that the next batch finds the node.
            let _ = self.load(keys[undone], now);
        }
        let live = |(expiry, pending): (Option<i64>, Option<String>)| {
            expiry.filter(|expiry| *expiry > now && pending.is_none())
        };
        found.into_iter().map(|found| found.map(live)).collect()
    }

    /// Runs the command that `read` returns for the name of each key.
    pub(super) fn read_many<T: FromRedisValue>(
        &self,
        keys: &[&Key],
        read: impl Fn(&str) -> Cmd,
    ) -> Vec<Result<T, Error>> {
        let names = keys.iter().map(|key| self.name(key));
        let commands = names.map(|name| (name.clone(), read(&name)));
        let replies = self.nodes.run_many(commands, Idempotent::Yes).into_iter();
        replies.map(|reply| value(reply?)).collect()
    }

    pub(super) fn save_batch(&self, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
        let commands = saves.iter().filter(|save| !needs_list(save));
        let commands = commands.map(|save| self.command(save));
        let mut replies = self.nodes.run_many(commands, Idempotent::Batch).into_iter();
        let outcomes = saves.iter().map(|save| {
            let reply = match needs_list(save) {
                true => None,
                false => replies.next(),
            };
            outcome(save, reply.unwrap_or_else(|| Err(alone()))?)
        });
        outcomes.collect()
    }

    fn command(&self, save: &Save) -> NamedCommand {
        let name = self.name(save.key());
        let command = match save {
            Save::Insert(record) => {
                let lifetime = lifetime(record.seen_at, record.expires_at);
                CREATE.call(&name, create_arguments(record, lifetime, &[]))
            }
            Save::Update { version, record } => {
                REPLACE.call(&name, replace_arguments(*version, record, "0"))
            }
            Save::Touch {
                seen_at,
                expires_at,
                ..
            } => TOUCH.call(&name, &touch_arguments(*seen_at, *expires_at)[..]),
        };
        (name, command)
    }
}

/// Returns `true` if the user's list, perhaps on another node, must contain the key before the record is stored.
fn needs_list(save: &Save) -> bool {
    matches!(save, Save::Insert(record) if record.user_id.is_some())
}

fn outcome(save: &Save, reply: Value) -> Result<Updated, Error> {
    match save {
        Save::Touch { .. } => Ok(Updated::Done),
        Save::Insert(_) => match value(reply)? {
            true => Ok(Updated::Done),
            false => Ok(Updated::Taken),
        },
        Save::Update { .. } => {
            let (outcome, _): (String, String) = value(reply)?;
            match outcome.as_str() {
                "done" => Ok(Updated::Done),
                "unlisted" => Err(alone()),
                _ => Ok(Updated::Stale),
            }
        }
    }
}

fn value<T: FromRedisValue>(reply: Value) -> Result<T, Error> {
    redis::from_redis_value(reply).map_err(|cause| broken(cause.into()))
}

fn alone() -> Error {
    let message = "Redis saves a session whose user changes only by itself";
    Error::unavailable(message).with_effect(Effect::Undone)
}

impl Nodes {
    /// Runs each command on the node of its name, and returns their replies in the order of the commands.
    ///
    /// Follows no redirect, and repeats nothing: a command that a node refuses is undone.
    fn run_many(
        &self,
        commands: impl Iterator<Item = NamedCommand>,
        idempotent: Idempotent,
    ) -> Vec<Result<Value, Error>> {
        // All batches take their connections in one order, so that no two wait for each other.
        let mut parts = BTreeMap::<String, (Vec<usize>, Pipeline)>::new();
        for (place, (name, command)) in commands.enumerate() {
            let node = self.holder(Slot::for_key(name));
            let (places, pipeline) = parts.entry(node).or_default();
            places.push(place);
            pipeline.add_command(command);
        }
        // All nodes work at the same time.
        let send = |(node, (places, pipeline)): (String, (Vec<usize>, Pipeline))| {
            let sent = self.send(&node, &pipeline, idempotent);
            (node, places, sent)
        };
        let sent: Vec<_> = parts.into_iter().map(send).collect();
        let mut replies = Vec::new();
        for (node, places, mut sent) in sent {
            for place in places {
                replies.push((place, self.receive(&node, &mut sent, idempotent)));
            }
        }
        replies.sort_by_key(|(place, _)| *place);
        replies.into_iter().map(|(_, reply)| reply).collect()
    }

    fn send(
        &self,
        node: &str,
        pipeline: &Pipeline,
        idempotent: Idempotent,
    ) -> Result<RedisLease, Error> {
        // One thread answers all batches, so it does not wait again for a node that hangs. The threads that serve
        // single requests do, and the first of them that gets a reply ends this.
        if self.address.cluster && self.is_silent(node) {
            let message = "a node of the Redis cluster does not answer";
            return Err(Error::unavailable(message).with_effect(Effect::Undone));
        }
        let mut lease = self.connect(node)?;
        match lease.send(pipeline) {
            Ok(()) => Ok(lease),
            Err(error) => Err(self.lose(node, &mut lease, error, idempotent)),
        }
    }

    /// Returns the next reply of a node, or the error of the connection if that was lost.
    fn receive(
        &self,
        node: &str,
        sent: &mut Result<RedisLease, Error>,
        idempotent: Idempotent,
    ) -> Result<Value, Error> {
        let lease = sent.as_mut().map_err(|error| error.copy())?;
        match lease.receive().map(Value::extract_error) {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(refusal)) => {
                lease.lost |= is_dead_end(&refusal, node);
                Err(broken(refusal).with_effect(Effect::Undone))
            }
            Err(error) => {
                let error = self.lose(node, lease, error, idempotent);
                *sent = Err(error.copy());
                Err(error)
            }
        }
    }

    fn lose(
        &self,
        node: &str,
        lease: &mut RedisLease,
        error: RedisError,
        idempotent: Idempotent,
    ) -> Error {
        lease.lost = true;
        self.forget(node);
        let effect = match idempotent {
            Idempotent::Yes if error.is_timeout() => Effect::Final,
            Idempotent::Yes => Effect::Undone,
            _ => Effect::Unknown,
        };
        broken(error).with_effect(effect)
    }
}
