"""MariaDB."""

import os
import time

from . import processes
from .server import USERS, Server

USERS_TABLE = f"""
CREATE TABLE users (
    id INT NOT NULL PRIMARY KEY,
    email VARCHAR(190) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    pass_hash VARCHAR(255) NOT NULL
);
INSERT INTO users SELECT seq, CONCAT('user', seq, '@example.org'), CONCAT('User ', seq),
    REPEAT('h', 97) FROM seq_1_to_{USERS};
"""


class MariaDB(Server):
    name = "mysql"

    def command(self):
        user = f"--user={processes.run('id', '-un')}"
        files = f"--datadir={self.folder}/data"
        if not os.path.isdir(f"{self.folder}/data/mysql"):
            processes.run("mariadb-install-db", "--no-defaults", user, files, "--skip-test-db",
                          "--auth-root-authentication-method=normal")
        return ["mariadbd", "--no-defaults", user, files, f"--port={self.port}",
                f"--socket={self.folder}/socket", "--bind-address=127.0.0.1",
                "--skip-name-resolve", "--skip-log-bin", "--max-connections=300",
                "--performance-schema=OFF", "--innodb-buffer-pool-size=4G",
                "--innodb-log-file-size=512M", "--innodb-flush-log-at-trx-commit=1"]

    def ping(self):
        self.sql("SELECT 1")

    def url(self, database):
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def sql(self, text, database=None):
        client = ["mariadb", "--no-defaults", "-uroot", f"-S{self.folder}/socket", "-NB"]
        return processes.run(*client, *([database] if database else []), text=text)

    def make(self, database, schema):
        """Makes the database anew."""
        self.sql(f"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}")
        self.sql(USERS_TABLE + schema, database)

    def copy(self, database, statement, copies):
        numbers = f"(SELECT seq AS n FROM seq_1_to_{copies}) AS copies"
        self.sql(statement.format(copies=numbers), database)

    def settle(self, database, table):
        """Has it write to its files what it would otherwise write during the measurement."""
        self.sql(f"ANALYZE TABLE {table}", database)
        self.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0, innodb_io_capacity = 20000")
        while self.status("Innodb_buffer_pool_pages_dirty") > 100:
            time.sleep(0.2)
        self.sql("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT, innodb_io_capacity = DEFAULT")

    def count(self, database, table):
        return int(self.sql(f"SELECT COUNT(*) FROM {table}", database))

    def status(self, name):
        return int(self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'").split()[-1])

    def statements(self):
        return self.status("Questions")
