"""Sends requests to a server for a while, and measures what they cost."""

import itertools
import json
import os
import re
import resource
import subprocess
import time

from . import processes
from .databases import DATABASES
from .peers import BENCH

# The method, the path, whether a cookie is sent, and what the body has to be.
SCENARIOS = {
    "S0": ("GET", "/hello", False, "hello"),
    "S0b": ("GET", "/ping", True, "pong"),
    "S1": ("GET", "/visits", True, r"visits: \d+"),
    "S2": ("POST", "/visits", True, r"visits: [1-9]\d*"),
    "S3": ("GET", "/me", True, r"user\d+@example\.org"),
    "S4": ("GET", "/anon", False, "created"),
}


def check(peer, scenario):
    method, path, with_cookie, expected = SCENARIOS[scenario]
    with open(peer.cookies) as file:
        cookies = [line.strip() for line in itertools.islice(file, 3)] if with_cookie else [None]
    for cookie in cookies:
        status, body, _ = peer.get(method, path, cookie)
        if status != 200 or not re.fullmatch(expected, body.strip()):
            raise RuntimeError(f"{method} {path} answers {status} {body[:200]}")


def wrk(peer, scenario, seconds, connections=32, cookies=None):
    """Keeps so many connections busy, which use the first so many cookies in turn."""
    method, path, with_cookie, _ = SCENARIOS[scenario]
    environment = {**os.environ, "RIG_METHOD": method, "RIG_PATH": path}
    if with_cookie:
        environment |= {"RIG_COOKIES": peer.cookies, "RIG_COOKIES_USED": str(cookies or 0)}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s",
               "-s", f"{BENCH}/wrk.lua", f"http://127.0.0.1:{peer.port}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = processes.run(*command, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = json.loads(re.search(r"RIG (\{.*\})", output)[1])
    figures["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return figures


def usage(peer):
    """Seconds of the machine, of the server, of its databases and of all; statements."""
    mine = sum(it.cpu() for it in peer.databases)
    every = sum(it.cpu() for it in DATABASES.values())
    statements = sum(it.statements() for it in peer.databases)
    return processes.busy(), processes.cpu(peer.process), mine, every, statements


def measure(peer, scenario, options):
    peer.start(scenario)
    check(peer, scenario)
    load = {"connections": options.connections, "cookies": options.cookies}
    wrk(peer, scenario, options.warm, **load)
    begin, before = time.monotonic(), usage(peer)
    figures = wrk(peer, scenario, options.secs, **load)
    after, seconds = usage(peer), time.monotonic() - begin
    busy, server, mine, every, statements = (b - a for a, b in zip(before, after))
    requests = max(1, figures["requests"])
    other = max(0, busy - server - every - figures["cpu"])
    return {
        "peer": peer.row["name"],
        "scenario": scenario,
        **load,
        "rps": requests / figures["seconds"],
        "p50": figures["p50"],
        "p99": figures["p99"],
        "srv": server * 1e6 / requests,
        "db": mine * 1e6 / requests,
        "total": (server + mine) * 1e6 / requests,
        "statements": statements / requests,
        "rss": processes.megabytes(peer.process),
        "other": 100 * other / seconds / os.cpu_count(),
        "errors": figures["errors"],
    }
