#!/usr/bin/env python3
"""Measures requests while the cleanup deletes a million expired sessions. run.sh starts it, with the
file of the peers; the load is the rig's S1 on 32 connections."""

import json
import os
import re
import statistics
import subprocess
import sys
import time

rig = os.environ["RIG"]
sys.path.insert(0, rig)
import bench

EXPIRED = int(os.environ.get("EXPIRED", 1_000_000))
FILL = f"""INSERT INTO rig_own.sessions SELECT SHA2(CONCAT('expired', seq), 256), seq % 10000 + 1,
  (SELECT data FROM rig_own.sessions LIMIT 1), 0, 0, 0, 1 + seq % 86400, 1 + seq % 86400, NULL, NULL
  FROM rig.big WHERE seq <= {EXPIRED}"""
DIRTY = "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'"
LEFT = "SELECT COUNT(*) FROM rig_own.sessions WHERE expires_at <= 86400"
OFF = '{cleanup_interval="off"}'
# The machine's speed drifts by a third within minutes, so windows without the cleanup lie among those
# with it. All have the same length: the sessions in use are touched once in 24 minutes, all at about
# the same time, which would weigh more in a short window.
WINDOW = 40
ON_PER_OFF = 5


def fill():
    """And has the database write that to its files: none of it is the cleanup's doing."""
    bench.sql(f"""USE rig; CREATE TABLE IF NOT EXISTS big (seq INT PRIMARY KEY);
      INSERT IGNORE INTO big SELECT seq FROM seq_1_to_{EXPIRED}""")
    bench.sql(FILL)
    bench.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0, innodb_io_capacity = 2000")
    while int(bench.sql(DIRTY).split()[-1]) > 100:
        time.sleep(1)
    bench.sql("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT, innodb_io_capacity = DEFAULT")


def window(server, process, cookies, settings):
    """The p99 in ms."""
    server["env"]["ROCKET_SESSION"] = settings
    process.start()
    try:
        load(server, cookies, 2)
        return load(server, cookies, WINDOW)
    finally:
        process.stop()


def load(server, cookies, seconds):
    method, path, *_ = bench.SCEN["S1"]
    environment = {**os.environ, "RIG_METHOD": method, "RIG_PATH": path, "RIG_COOKIES": cookies}
    wrk = ["wrk", "-t1", "-c32", f"-d{seconds}s", "--timeout", "60s", "-s", f"{rig}/wrk.lua"]
    url = f"http://127.0.0.1:{server['port']}"
    out = subprocess.run([*wrk, url], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(re.search(r"RIG (\{.*\})", out.stdout).group(1))
    assert not any(figures[error] for error in ("e_status", "e_timeout", "e_read")), figures
    return figures["p99"] / 1e3


def report(label, values):
    quartiles = " ".join(f"{value:.2f}" for value in statistics.quantiles(values))
    print(f"{label:10} {len(values)} windows, p99 ms {statistics.mean(values):.2f} ({quartiles})")


def main(peers, settings):
    server = bench.load_peers([f"{rig}/peers.toml", peers])["own-mysql"]
    process, cookies = bench.prepare(server, 5_000, 100_000)
    process.stop()
    fill()
    off, on = [], []
    begin, left = time.time(), EXPIRED
    while left or min(len(off), len(on)) < 2:  # quartiles take two
        turn = (len(off) + len(on)) % (1 + ON_PER_OFF)
        windows, chosen = (on, settings) if turn else (off, OFF)
        windows.append(window(server, process, cookies, chosen))
        left = int(bench.sql(LEFT))
        print(f"{time.time() - begin:6.0f} s, {left} rows left: {windows[-1]:.2f} {chosen}", flush=True)
    report("without", off)
    report("meanwhile", on)
    print(f"ratio {statistics.mean(on) / statistics.mean(off):.2f}")


main(*sys.argv[1:])
