#!/usr/bin/env python3
"""Measures requests while the cleanup deletes a million expired sessions: the scenario S1 of
`own-mysql` on 32 connections. The argument is ROCKET_SESSION of the windows with the cleanup."""

import os
import statistics
import sys
import time

from rig import databases, load, peers

EXPIRED = int(os.environ.get("EXPIRED", 1_000_000))
FILL = f"""INSERT INTO sessions SELECT SHA2(CONCAT('expired', seq), 256), seq % 10000 + 1,
  (SELECT data FROM sessions LIMIT 1), 0, 0, 0, 1 + seq % 86400, 1 + seq % 86400, NULL, NULL
  FROM seq_1_to_{EXPIRED}"""
LEFT = "SELECT COUNT(*) FROM sessions WHERE expires_at <= 86400"
OFF = '{cleanup_interval="off"}'
# The machine's speed drifts by a third within minutes, so windows without the cleanup lie among those
# with it. All have the same length: the sessions in use are touched once in 24 minutes, all at about
# the same time, which would weigh more in a short window.
WINDOW = 40
ON_PER_OFF = 5


def window(peer, settings):
    """The p99 in ms."""
    os.environ["ROCKET_SESSION"] = settings
    peer.start()
    try:
        load.wrk(peer, "S1", 2)
        figures = load.wrk(peer, "S1", WINDOW)
        if figures["errors"]:
            raise SystemExit(f"{figures['errors']} requests failed")
        return figures["p99"]
    finally:
        peer.stop()


def report(label, values):
    quartiles = " ".join(f"{value:.2f}" for value in statistics.quantiles(values))
    print(f"{label:10} {len(values)} windows, p99 ms {statistics.mean(values):.2f} ({quartiles})")


def compare(settings):
    peer = peers.Peer(peers.load()["own-mysql"])
    database = peer.row["database"]
    try:
        peer.prepare(100_000)
    finally:
        peer.stop()
    peer.store.sql(FILL, database)
    peer.store.settle(database, "sessions")
    off, on = [], []
    begin, left = time.time(), EXPIRED
    while left or min(len(off), len(on)) < 2:  # quartiles take two
        turn = (len(off) + len(on)) % (1 + ON_PER_OFF)
        windows, chosen = (on, settings) if turn else (off, OFF)
        windows.append(window(peer, chosen))
        left = int(peer.store.sql(LEFT, database))
        print(f"{time.time() - begin:6.0f} s, {left} rows left: {windows[-1]:.2f} {chosen}", flush=True)
    report("without", off)
    report("meanwhile", on)
    print(f"ratio {statistics.mean(on) / statistics.mean(off):.2f}")


def main():
    kept = databases.lock()
    try:
        compare(sys.argv[1] if sys.argv[1:] else '{cleanup_interval="1s"}')
    finally:
        databases.stop()
        kept.close()


main()
