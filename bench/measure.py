#!/usr/bin/env python3
"""Measures servers one after the other, in several runs; see README.md."""

import argparse
import json
import signal
import subprocess
import sys

from rig import databases, load, peers, tables
from rig.server import DATA


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh")
    parser.add_argument("--peers", help="names in peers.toml, with commas; all if left out")
    parser.add_argument("--scenarios", default=",".join(load.SCENARIOS))
    parser.add_argument("--runs", type=int, default=3, help="each measures every server once")
    parser.add_argument("--secs", type=int, default=10, help="length of one measurement")
    parser.add_argument("--warm", type=int, default=2, help="seconds of load before it")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--cookies", type=int, help="of the 5000, how many are sent; all if left out")
    parser.add_argument("--sessions", type=int, default=100_000, help="that the store has")
    parser.add_argument("--results", default=f"{DATA}/results.jsonl",
                        help="a line for each measurement; replaced")
    parser.add_argument("--table", metavar="RESULTS", help="only prints the tables of such a file")
    return parser.parse_args()


def measure(row, run, options):
    """Yields the figures of each scenario."""
    peer = peers.Peer(row)
    try:
        peer.prepare(options.sessions)
        for scenario in options.scenarios.split(","):
            figures = {**load.measure(peer, scenario, options), "run": run}
            say("{run} {peer} {scenario}: {rps:.0f}/s, {total:.0f} µs, p99 {p99:.2f} ms, "
                "{statements:.2f} statements, other {other:.0f} %".format_map(figures))
            yield figures
    finally:
        peer.stop()


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    options = arguments()
    if options.table:
        with open(options.table) as file:
            tables.show([json.loads(line) for line in file])
        return
    known = peers.load()
    names = options.peers.split(",") if options.peers else list(known)
    if unknown := set(names) - set(known):
        sys.exit(f"no such server: {', '.join(unknown)}; there are {', '.join(known)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    kept, rows, failed = databases.lock(), [], []
    try:
        for name in names:
            peers.command(known[name]["program"])
        with open(options.results, "w") as results:
            for run in range(1, options.runs + 1):
                for name in names:
                    try:
                        for figures in measure(known[name], run, options):
                            rows.append(figures)
                            print(json.dumps(figures), file=results, flush=True)
                    except (RuntimeError, OSError) as cause:
                        failed.append(f"{name} failed: {cause}")
                        say(failed[-1])
    except subprocess.CalledProcessError as cause:
        sys.exit(f"cannot build a server: {cause}")
    finally:
        databases.stop()
        kept.close()
    if rows:
        tables.show(rows)
    if failed:
        sys.exit("\n".join(failed))


main()
