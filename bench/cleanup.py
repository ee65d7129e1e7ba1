#!/usr/bin/env python3
"""Measures the cleanup of `own-mysql` and what it costs requests (S1 on 32 connections).

    bench/run.sh cleanup backlog     a million expired sessions under load
    bench/run.sh cleanup idle        the same without load
    bench/run.sh cleanup stream      2,000 sessions begin and expire each second, for 10 minutes under load

A further argument is ROCKET_SESSION of the windows with the cleanup."""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time

from rig import databases, load, peers

EXPIRED = int(os.environ.get("EXPIRED", 1_000_000))
RATE = int(os.environ.get("RATE", 2_000))
SECONDS = int(os.environ.get("SECONDS_WITH", 600))
# The machine's speed drifts by a third within minutes, so windows without the cleanup lie among those
# with it. All have the same length: the sessions in use are touched once in 24 minutes, all at about
# the same time, which would weigh more in a short window.
WINDOW = int(os.environ.get("WINDOW", 40))
ON_PER_OFF = 5
OFF = '{cleanup_interval="off"}'

# They expired in the course of a day.
FILL = f"""INSERT INTO sessions SELECT SHA2(CONCAT('expired', seq), 256), seq % 10000 + 1,
  (SELECT data FROM sessions LIMIT 1), 0, 0, 0, 1 + seq * 86400 % 86400000, 1, NULL, NULL
  FROM seq_1_to_{EXPIRED}"""
LEFT = "SELECT COUNT(*) FROM sessions WHERE expires_at <= UNIX_TIMESTAMP(NOW(3)) * 1000"
BEGIN = """INSERT INTO sessions SELECT SHA2(CONCAT(UUID(), seq), 256), NULL,
  (SELECT data FROM sessions LIMIT 1), 0, 0, 0, UNIX_TIMESTAMP(NOW(3)) * 1000 + {life}, 1, 'stream', NULL
  FROM seq_1_to_{count};"""
END = "DELETE FROM sessions WHERE user_agent = 'stream' AND expires_at > UNIX_TIMESTAMP(NOW(3)) * 1000 + 60000"
# Sessions that begin without a cleanup outlive the window, so that nothing is left for the next one.
SECOND, DAY = 1_000, 86_400_000


class Stream(threading.Thread):
    """Begins sessions until it is stopped."""

    def __init__(self, peer, life):
        super().__init__(daemon=True)
        self.peer, self.life, self.on = peer, life, True
        self.start()

    def run(self):
        socket = f"-S{self.peer.store.folder}/socket"
        command = ["mariadb", "--no-defaults", "-uroot", socket, "-NB", self.peer.row["database"]]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        begin, begun = time.monotonic(), 0
        while self.on:
            time.sleep(0.05)
            due = int((time.monotonic() - begin) * RATE) - begun
            client.stdin.write(BEGIN.format(life=self.life, count=max(1, due)))
            client.stdin.flush()
            begun += max(1, due)
        client.stdin.close()
        client.wait()

    def stop(self):
        self.on = False
        self.join()


class Backlog(threading.Thread):
    """Looks at the backlog until it is stopped."""

    def __init__(self, left):
        super().__init__(daemon=True)
        self.left, self.most, self.on = left, 0, True
        self.start()

    def run(self):
        while self.on:
            self.most = max(self.most, self.left())
            time.sleep(5)

    def stop(self):
        self.on = False
        self.join()
        return self.most


class Comparison:
    def __init__(self, settings):
        self.peer = peers.Peer(peers.load()["own-mysql"])
        self.settings = settings
        self.p99 = {OFF: [], settings: []}
        self.serve(OFF)
        self.peer.prepare(100_000)
        self.begin = time.monotonic()

    def sql(self, text):
        return self.peer.store.sql(text, self.peer.row["database"])

    def left(self):
        return int(self.sql(LEFT))

    def serve(self, settings):
        """Starts the server with these settings, unless it runs with them."""
        if os.environ.get("ROCKET_SESSION") != settings:
            self.peer.stop()
            os.environ["ROCKET_SESSION"] = settings

    def fill(self):
        self.sql(FILL)
        self.peer.store.settle(self.peer.row["database"], "sessions")

    def window(self, settings):
        self.serve(settings)
        if not self.peer.process:
            self.peer.start()
            load.wrk(self.peer, "S1", 2)
        figures = load.wrk(self.peer, "S1", WINDOW)
        if figures["errors"]:
            raise SystemExit(f"{figures['errors']} requests failed")
        self.p99[settings].append(figures["p99"])
        seconds = time.monotonic() - self.begin
        print(f"{seconds:6.0f} s, {self.left()} expired: p99 {figures['p99']:.2f} ms {settings}", flush=True)

    def report(self):
        means = {}
        for settings, values in self.p99.items():
            quartiles = " ".join(f"{value:.2f}" for value in statistics.quantiles(values))
            means[settings] = statistics.mean(values)
            print(f"{len(values)} windows, p99 ms {means[settings]:.2f} ({quartiles}) {settings}")
        print(f"ratio {means[self.settings] / means[OFF]:.2f}")


def backlog(comparison):
    comparison.fill()
    while comparison.left():
        comparison.window(OFF)
        for _ in range(ON_PER_OFF):
            if comparison.left():
                comparison.window(comparison.settings)
    comparison.window(OFF)
    windows = len(comparison.p99[comparison.settings])
    print(f"{EXPIRED} sessions within {windows * WINDOW} s with the cleanup")
    comparison.report()


def idle(comparison):
    comparison.fill()
    comparison.serve(comparison.settings)
    begin = time.monotonic()
    comparison.peer.start()
    while comparison.left():
        time.sleep(2)
    print(f"{EXPIRED} sessions in {time.monotonic() - begin:.0f} s without load")


def stream(comparison):
    most = 0
    while len(comparison.p99[comparison.settings]) * WINDOW < SECONDS:
        sessions = Stream(comparison.peer, DAY)
        comparison.window(OFF)
        sessions.stop()
        comparison.sql(END)
        sessions, looks = Stream(comparison.peer, SECOND), Backlog(comparison.left)
        for _ in range(ON_PER_OFF):
            comparison.window(comparison.settings)
        most = max(most, looks.stop())
        sessions.stop()
        while comparison.left():
            time.sleep(1)
    comparison.window(OFF)
    print(f"at most {most} expired sessions")
    comparison.report()


def main(mode="backlog", settings='{cleanup_interval="30s"}'):
    modes = {"backlog": backlog, "idle": idle, "stream": stream}
    if mode not in modes:
        raise SystemExit(f"no such measurement: {mode}; there are {', '.join(modes)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    kept = databases.lock()
    comparison = None
    try:
        comparison = Comparison(settings)
        modes[mode](comparison)
    finally:
        if comparison:
            comparison.peer.stop()
        databases.stop()
        kept.close()


main(*sys.argv[1:])
