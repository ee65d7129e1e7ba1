"""SQLite, which runs in the measured server."""

import contextlib
import os
import sqlite3

from .server import DATA, USERS

USERS_TABLE = f"""
PRAGMA journal_mode = WAL;
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    pass_hash TEXT NOT NULL
);
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {USERS})
INSERT INTO users SELECT n, 'user' || n || '@example.org', 'User ' || n, hex(zeroblob(48))
    FROM numbers;
"""


class SQLite:
    name = "sqlite"

    def start(self):
        os.makedirs(f"{DATA}/sqlite", exist_ok=True)

    def stop(self):
        pass

    def cpu(self):
        return 0

    def url(self, database):
        return f"{DATA}/sqlite/{database}.db"

    def sql(self, text, database):
        with contextlib.closing(sqlite3.connect(self.url(database), timeout=30)) as connection:
            rows = connection.execute(text).fetchall()
            connection.commit()
            return rows

    def make(self, database, schema):
        """Makes the file anew."""
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.url(database) + ending)
        with contextlib.closing(sqlite3.connect(self.url(database))) as connection:
            connection.executescript(USERS_TABLE + schema)

    def copy(self, database, statement, copies):
        numbers = f"""(WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers
            WHERE n < {copies}) SELECT n FROM numbers) AS copies"""
        self.sql(statement.format(copies=numbers), database)

    def settle(self, database, _table):
        self.sql("PRAGMA wal_checkpoint(TRUNCATE)", database)

    def count(self, database, table):
        return self.sql(f"SELECT count(*) FROM {table}", database)[0][0]

    def statements(self):
        return 0
