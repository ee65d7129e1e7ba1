"""The databases, each of which starts when a server needs it."""

import fcntl
import os

from .mariadb import MariaDB
from .postgresql import PostgreSQL
from .redis import Redis
from .server import DATA
from .sqlite import SQLite

DATABASES = {it.name: it for it in (MariaDB(), PostgreSQL(), Redis(), SQLite())}
started = []


def lock():
    """Keeps the folder for this process; returns the file that has to stay open."""
    os.makedirs(f"{DATA}/logs", exist_ok=True)
    file = open(f"{DATA}/lock", "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"another measurement uses {DATA}; set BENCH_DATA to another folder")
    return file


def get(name):
    database = DATABASES[name]
    if database not in started:
        database.start()
        started.append(database)
    return database


def stop():
    for database in started:
        database.stop()
