"""The servers of peers.toml: builds them, starts them and signs users in."""

import concurrent.futures
import functools
import http.client
import os
import subprocess
import sys
import tomllib

from . import databases, processes, server

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(BENCH)
SERVERS = f"{BENCH}/servers"
TARGET = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"))
COOKIES = 5_000


def load():
    """All rows by their names, with one of `before` for each of `own` if there is a binary."""
    with open(f"{BENCH}/peers.toml", "rb") as file:
        rows = tomllib.load(file)
    found = {}
    for name, row in rows.items():
        row = {**rows.get(row.get("like"), {}), **row}
        if "OWN_BEFORE" in os.environ and row["program"] == "own":
            before = name.replace("own-", "before-")
            found[before] = {**row, "name": before, "program": "before"}
        found[name] = {**row, "name": name}
    return found


@functools.cache
def command(program):
    """The command that starts it. Builds it first, unless the environment names a binary."""
    variable = {"own": "OWN", "before": "OWN_BEFORE"}.get(program, "")
    if variable in os.environ:
        return [os.path.abspath(os.environ[variable])]
    if program == "own":
        cargo("--package", "rocket_diesel_session", "--example", "rig",
              "--no-default-features", "--features", "sqlite,mysql,postgres,redis")
        return [f"{TARGET}/release/examples/rig"]
    if program == "express":
        npm = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        subprocess.run(npm, cwd=f"{SERVERS}/express", check=True)
        return ["node", f"{SERVERS}/express/server.js"]
    cargo("--manifest-path", f"{SERVERS}/{program}/Cargo.toml")
    return [f"{TARGET}/release/{program}"]


def cargo(*arguments):
    command = ["cargo", "build", "--locked", "--release", "--target-dir", TARGET, *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


class Peer:
    """One row, with its server once `start` was called."""

    process = None
    environment = None

    def __init__(self, row):
        self.row = row
        self.store = databases.get(row["store"])
        self.users = databases.get(row["users"]) if "users" in row else None
        self.databases = [it for it in (self.store, self.users) if it]
        self.cookies = f"{server.DATA}/cookies"

    def prepare(self, sessions):
        """Starts the server with new data: 5,000 signed-in sessions, and copies of these."""
        row, name = self.row, self.row["database"]
        self.store.make(name, row.get("schema", ""))
        if self.users:
            self.users.make(name, "")
        self.start()
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            parts = [range(first, COOKIES + 1, 8) for first in range(1, 9)]
            cookies = [it for part in threads.map(self.sign_in, parts) for it in part]
        with open(self.cookies, "w") as file:
            file.writelines(f"{cookie}\n" for cookie in cookies)
        if (copies := sessions // COOKIES - 1) > 0:
            self.store.copy(name, row.get("copy"), copies)
        self.store.settle(name, row.get("table"))
        stored = self.store.count(name, row.get("table"))
        print(f"{row['name']}: {stored} rows", file=sys.stderr, flush=True)

    def start(self, scenario=None):
        """Starts the server, unless it runs with the variables for this scenario."""
        variables = {**self.row["env"], **self.row.get(scenario, {})}
        if self.process and self.environment == variables:
            return
        self.stop()
        self.environment = variables
        self.port = server.free_port()
        urls = {it: databases.get(it).url(self.row["database"])
                for it in databases.DATABASES if f"{{{it}}}" in "".join(variables.values())}
        filled = {name: value.format_map(urls) for name, value in variables.items()}
        log = f"{server.DATA}/logs/{self.row['name']}.log"
        environment = {**os.environ, "PORT": str(self.port), "NODE_ENV": "production", **filled}
        self.process = processes.start(command(self.row["program"]), log, environment)
        processes.wait_until(self.answers, self.process, log)

    def stop(self):
        if self.process:
            processes.stop(self.process)
            self.process = None

    def answers(self):
        try:
            return self.get("GET", "/hello")[0] == 200
        except OSError:
            return False

    def get(self, method, path, cookie=None, connection=None):
        """The status, the body and the cookies that the response sets."""
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        body = response.read().decode()
        set_cookies = response.headers.get_all("Set-Cookie") or []
        return response.status, body, [it.split(";")[0] for it in set_cookies]

    def sign_in(self, users):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        cookies = []
        for user in users:
            status, body, found = self.get("GET", f"/login?uid={user}", connection=connection)
            if status != 200 or not found:
                raise RuntimeError(f"{self.row['name']}: /login answers {status} {body[:200]}")
            cookies.append("; ".join(found))
        return cookies
