#!/usr/bin/env python3
"""Disturbs databases and applications while clients work, and counts what went wrong; see README.md.

    ./test.sh cluster                               all of it
    TEST_INCREMENTS=100000 ./test.sh cluster        in full: so many increments on each database
    ./test.sh cluster --databases galera --faults kill,network
    ./test.sh cluster --short                       a minute, as a run of all tests does it"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time

from cluster import sqlite
from cluster.applications import Applications
from cluster.clients import Clients
from cluster.galera import Galera
from cluster.network import Network
from cluster.postgresql import PostgreSQL
from cluster.redis import RedisCluster
from rig import processes
from rig.tables import table

DATABASES = {it.name: it for it in (Galera, PostgreSQL, RedisCluster, sqlite.SQLite)}
HEAD = ["database", "fault", "increments", "sign-outs", "devices ended", "lost", "resurrected", "stale", "503",
        "no answer", "other", "longest outage s", "database back s", "healed s"]
WRONG = ["lost", "twice", "resurrected", "stale", "other"]


def arguments():
    parser = argparse.ArgumentParser(prog="./test.sh cluster")
    parser.add_argument("--program", required=True, help="the example busy")
    parser.add_argument("--before", help="the same of an earlier version, as every second application")
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--faults", default="", help="parts of their names, with commas; all if left out")
    parser.add_argument("--short", action="store_true", help="one fault on each database")
    parser.add_argument("--results", help="a file for a line of JSON for each row")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def wanted(options, database, applications):
    """The faults to run, and prints those that cannot be run."""
    faults = [("none", contextlib.nullcontext), *database.faults(), *applications.faults()]
    if options.short:
        faults = [(name, fault) for name, fault in faults if name == database.short]
    parts = options.faults.split(",")
    for name, fault in faults:
        if not any(part in name for part in parts):
            continue
        if fault:
            yield name, fault
        else:
            say(f"NOT RUN: {database.name}: {name}: this machine or account lacks the means")


def disturb(database, fault, increments, hold, ports):
    """Returns the ledger and two times: until the database was back, and then until all was well."""
    clients = Clients(ports)
    with clients:
        time.sleep(1)
        with fault():
            time.sleep(hold)
            ended = time.monotonic()
        while not database.answers():
            time.sleep(0.05)
        back = time.monotonic() - ended
        healed = clients.wait_until_well()
        while clients.ledger.counts["increments"] < increments:
            time.sleep(0.1)
        time.sleep(0.5)
    return clients, back, healed


def measure(database, options, folder):
    """Yields a row for each fault."""
    programs = [options.program, *([os.path.abspath(options.before)] if options.before else [])]
    applications = Applications(programs, folder, database)
    database.start()
    try:
        applications.start()
        ports = [application.port for application in applications.all]
        faults, before = list(wanted(options, database, applications)), []
        increments = 0 if options.short else int(os.environ.get("TEST_INCREMENTS", 20_000)) / len(faults)
        for name, fault in faults:
            hold = 3 if options.short else 12
            clients, back, healed = disturb(database, fault, increments, hold, ports)
            ledger = clients.check()
            before.append((name, clients))
            for note in ledger.notes[:20]:
                say(note)
            yield {"database": database.name, "fault": name, **ledger.counts,
                   "longest": ledger.longest, "back": back, "healed": healed,
                   "may lose": name in database.may_lose}
        # What a later fault did to earlier sessions.
        for name, clients in before:
            earlier = clients.ledger.counts.copy()
            if clients.check().counts != earlier:
                say(f"{database.name}: after all faults, sessions of the round {name!r} were not as before")
                yield {"database": database.name, "fault": f"after all: {name}", **clients.ledger.counts}
    finally:
        applications.stop()
        database.stop()


def line(row):
    counts = [str(row.get(name, 0)) for name in
              ("increments", "sign-outs", "devices", "lost", "resurrected", "stale", "503", "no answer", "other")]
    times = [f"{row[name]:.1f}" if name in row else "" for name in ("longest", "back", "healed")]
    return [row["database"], row["fault"], *counts, *times]


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    folder, network, rows, failed = tempfile.mkdtemp(prefix="faults."), Network(), [], []
    os.chmod(folder, 0o711)  # lets the servers' accounts through
    if not network.separate:
        say("NOT RUN: cut networks: this account may not make network namespaces")
    try:
        for name in options.databases.split(","):
            try:
                for row in measure(DATABASES[name](folder, network), options, folder):
                    rows.append(row)
                    say(" | ".join(line(row)))
                    is_wrong = WRONG + (["503"] if row["fault"] == "none" else [])
                    if wrong := {it: row[it] for it in is_wrong if row.get(it) and not
                                 (it == "lost" and row.get("may lose"))}:
                        failed.append(f"{row['database']}, {row['fault']}: {wrong}")
            except (RuntimeError, OSError) as cause:
                failed.append(f"{name} failed: {cause}")
    finally:
        network.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if options.results:
        with open(options.results, "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    print(f"{datetime.date.today():%-d %B %Y}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"Linux {platform.release()}")
    table(HEAD, [line(row) for row in rows])
    if failed:
        sys.exit("\n".join(failed))


main()
