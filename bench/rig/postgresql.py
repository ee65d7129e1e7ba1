"""PostgreSQL."""

import glob
import os
import shutil

from . import processes
from .server import USERS, Server

USERS_TABLE = f"""
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    pass_hash TEXT NOT NULL
);
INSERT INTO users SELECT n, 'user' || n || '@example.org', 'User ' || n, repeat('h', 97)
    FROM generate_series(1, {USERS}) AS n;
"""


def program(name):
    """The newest; Debian keeps most of them out of PATH."""
    found = glob.glob(f"/usr/lib/postgresql/*/bin/{name}")
    return max(found, key=lambda path: int(path.split("/")[4]), default=name)


class PostgreSQL(Server):
    name = "postgres"

    def command(self):
        # It refuses to run as root.
        user = [] if os.geteuid() else ["runuser", "-u", "postgres", "--"]
        if not os.geteuid():
            shutil.chown(self.folder, "postgres")
        files = f"{self.folder}/data"
        if not os.path.isdir(files):
            processes.run(*user, program("initdb"), "-D", files, "-A", "trust", "-U", "bench",
                          "-E", "UTF8", "--locale=C", cwd="/")
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "max_connections": 200,
            "shared_buffers": "512MB",
            "shared_preload_libraries": "pg_stat_statements",
        }
        settings = [f"--{name}={value}" for name, value in settings.items()]
        return [*user, program("postgres"), "-D", files, *settings]

    def ping(self):
        self.sql("SELECT 1")

    def url(self, database):
        return f"postgres://bench@127.0.0.1:{self.port}/{database}"

    def sql(self, text, database="postgres"):
        client = [program("psql"), "-qXAt", "-vON_ERROR_STOP=1", self.url(database)]
        return processes.run(*client, text=text)

    def make(self, database, schema):
        """Makes the database anew."""
        self.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self.sql(f"CREATE DATABASE {database}")
        self.sql(USERS_TABLE + schema, database)

    def copy(self, database, statement, copies):
        numbers = f"generate_series(1, {copies}) AS copies(n)"
        self.sql(statement.format(copies=numbers), database)

    def settle(self, database, _table):
        """Has it write to its files what it would otherwise write during the measurement."""
        self.sql("VACUUM ANALYZE", database)
        self.sql("CHECKPOINT")

    def count(self, database, table):
        return int(self.sql(f"SELECT count(*) FROM {table}", database))

    def statements(self):
        return int(self.sql("SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements"))
