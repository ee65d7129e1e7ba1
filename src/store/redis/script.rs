//! The scripts that Redis runs, each in one atomic step.
//!
//! Each works on one key, so that it needs one slot of a cluster. Redis does not undo a script that
//! fails, so commands that can fail for lack of memory come first. No script deletes a key and then
//! writes it: a slot that moves to another node does not allow that.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, ToRedisArgs, cmd};

use super::connection::Connection;

/// The text of a script, and the hash under which Redis caches it.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        let hash = redis::Script::new(text).get_hash().to_owned();
        Self { text, hash }
    }

    pub(super) fn run<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        key: &str,
        arguments: impl ToRedisArgs,
    ) -> RedisResult<T> {
        match connection.query(&self.call(key, &arguments)) {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                connection.query(&call("EVAL", self.text, key, &arguments))
            }
            answer => answer,
        }
    }

    /// Returns the command that runs a script which Redis has cached.
    pub(super) fn call(&self, key: &str, arguments: impl ToRedisArgs) -> Cmd {
        call("EVALSHA", &self.hash, key, arguments)
    }
}

fn call(verb: &str, script: &str, key: &str, arguments: impl ToRedisArgs) -> Cmd {
    let mut call = cmd(verb);
    call.arg(script).arg(1).arg(key).arg(arguments);
    call
}

macro_rules! scripts {
    ($($(#[$doc:meta])+ $name:ident = $text:literal;)+) => {
        $($(#[$doc])+ pub(super) static $name: LazyLock<Script> = LazyLock::new(|| Script::new($text));)+
    };
}

scripts! {
    /// Stores a record: takes a lifetime and its fields; returns 0 if the key is taken.
    CREATE = "
        if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        redis.call('HSET', KEYS[1], unpack(ARGV, 2))
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        return 1";

    /// Takes the version that is to be there, the new user, whether the record is in the new user's
    /// list up to its new deadline, a lifetime and fields; answers a word, and whose record it was.
    REPLACE = "
        local record = redis.call('HMGET', KEYS[1], 'version', 'user_id', 'deadline')
        if record[1] ~= ARGV[1] then return {'stale', ''} end
        local user = record[2] or ''
        local new = {}
        for i = 5, #ARGV, 2 do new[ARGV[i]] = ARGV[i + 1] end
        local later = tonumber(new.deadline) > tonumber(record[3] or new.deadline)
        if (user ~= ARGV[2] or later) and ARGV[3] == '0' then return {'unlisted', user} end
        redis.call('HSET', KEYS[1], unpack(ARGV, 5))
        for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
            if not new[field] then redis.call('HDEL', KEYS[1], field) end
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        return {'done', user}";

    /// Makes visible what was stored as pending, for as long as it is given; whether it is still
    /// there.
    SHOW = "
        redis.call('HDEL', KEYS[1], 'pending')
        return redis.call('PEXPIRE', KEYS[1], ARGV[1])";

    /// Takes the two times and a lifetime.
    TOUCH = "
        local times = redis.call('HMGET', KEYS[1], 'seen_at', 'expires_at')
        if times[1] and tonumber(times[1]) < tonumber(ARGV[1])
                and tonumber(times[2]) <= tonumber(ARGV[2]) then
            redis.call('HSET', KEYS[1], 'seen_at', ARGV[1], 'expires_at', ARGV[2])
            redis.call('PEXPIRE', KEYS[1], ARGV[3])
        end
        return 1";

    /// Takes what has to be true of the record, each of it empty where it does not matter: its
    /// version, its user, and an instant by which it has expired. Answers whose it was, or nothing
    /// if it stays.
    REMOVE = "
        local record = redis.call('HMGET', KEYS[1], 'version', 'user_id', 'expires_at')
        if not record[1]
                or ARGV[1] ~= '' and record[1] ~= ARGV[1]
                or ARGV[2] ~= '' and record[2] ~= ARGV[2]
                or ARGV[3] ~= '' and tonumber(record[3]) > tonumber(ARGV[3]) then
            return false
        end
        redis.call('DEL', KEYS[1])
        return record[2] or ''";

    /// Puts a key into a user's list: takes the key, until when it can be of use, an instant by
    /// which others are of none any more, and a lifetime.
    LIST = "
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
        if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
            redis.call('PEXPIRE', KEYS[1], ARGV[4])
        end
        return 1";

    /// Reads a text: what it says, its lifetime in milliseconds, and its version.
    READ_TEXT = "
        local text = redis.call('GET', KEYS[1])
        if not text then return false end
        return {text, redis.call('PTTL', KEYS[1]), string.sub(redis.sha1hex(text), 1, 15)}";

    /// Replaces a text: takes the version that is to be there, the new text, and a lifetime in
    /// seconds; whether that version was there.
    REPLACE_TEXT = "
        local text = redis.call('GET', KEYS[1])
        if not text or string.sub(redis.sha1hex(text), 1, 15) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
        return 1";

    /// Deletes a text: takes the version that is to be there; whether it was.
    REMOVE_TEXT = "
        local text = redis.call('GET', KEYS[1])
        if not text or string.sub(redis.sha1hex(text), 1, 15) ~= ARGV[1] then return 0 end
        return redis.call('DEL', KEYS[1])";

    /// Moves the end of a text forward, and never back: takes a lifetime in seconds.
    TOUCH_TEXT = "
        local left = redis.call('TTL', KEYS[1])
        if left >= 0 and left < tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
        return 1";
}
