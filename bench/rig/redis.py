"""Redis."""

import re

from . import processes
from .server import Server

# A session is a text or a hash; a list of a user's sessions is neither.
COPY = """
for _, key in ipairs(redis.call('KEYS', '*')) do
    local kind = redis.call('TYPE', key).ok
    if kind == 'string' or kind == 'hash' then
        for copy = 1, ARGV[1] do
            redis.call('COPY', key, key .. 'c' .. copy)
        end
    end
end
"""


class Redis(Server):
    name = "redis"

    def command(self):
        return ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port),
                "--dir", self.folder, "--save", "", "--appendonly", "no"]

    def ping(self):
        self.call("PING")

    def url(self, _database):
        return f"redis://127.0.0.1:{self.port}"

    def call(self, *command):
        return processes.run("redis-cli", "-e", "-p", str(self.port), *command)

    def make(self, _database, _schema):
        self.call("FLUSHALL")

    def copy(self, _database, _statement, copies):
        self.call("EVAL", COPY, "0", str(copies))

    def settle(self, _database, _table):
        pass

    def count(self, _database, _table):
        return int(self.call("DBSIZE"))

    def statements(self):
        return int(re.search(r"total_commands_processed:(\d+)", self.call("INFO", "stats"))[1])
