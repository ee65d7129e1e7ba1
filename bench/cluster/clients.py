"""Clients that ask all applications in turn, and the ledger of what was acknowledged to them."""

import collections
import dataclasses
import http.client
import itertools
import json
import random
import threading
import time

CLIENTS = 32
SESSIONS = 20
# In each session, so that an answer in doubt leaves most numbers beyond doubt.
NUMBERS = 100
# A client gives up after so many seconds; an application answers within 2.5.
TIMEOUT = 4


@dataclasses.dataclass
class Answer:
    """`status` is None if there was none: what was asked may have been done or not."""

    status: int | None
    text: str = ""
    cookie: str | None = None


class Counted:
    """A session with numbers that all clients increment."""

    def __init__(self, cookie):
        self.cookie = cookie
        self.acknowledged, self.doubtful = collections.Counter(), collections.Counter()


class Ledger:
    def __init__(self):
        self.lock, self.counts, self.notes = threading.Lock(), collections.Counter(), []
        self.sessions, self.ended, self.longest = [], [], 0.0

    def count(self, what, note=None):
        with self.lock:
            self.counts[what] += 1
            if note:
                self.notes.append(f"{what}: {note}")

    def check(self, client):
        """Compares what is stored. A session that is gone has lost all its numbers."""
        for what in ("lost", "twice", "resurrected"):
            self.counts[what] = 0
        for session in self.sessions:
            stored = json.loads(client.read("/numbers", session.cookie))
            for name in session.acknowledged | session.doubtful:
                acknowledged, found = session.acknowledged[name], stored.get(name, 0)
                self.counts["lost"] += max(0, acknowledged - found)
                self.counts["twice"] += max(0, found - acknowledged - session.doubtful[name])
        for cookie in self.ended:
            if client.read("/user", cookie):
                self.counts["resurrected"] += 1


class Client(threading.Thread):
    def __init__(self, number, ports, ledger):
        super().__init__(daemon=True)
        self.number, self.ports, self.ledger = number, ports, ledger
        self.turn = itertools.cycle(ports[number % len(ports):] + ports[:number % len(ports)])
        self.connections, self.users, self.over = {}, 0, threading.Event()
        self.succeeded = time.monotonic()

    def run(self):
        works = [(self.increment, 88), (self.sign_out, 9), (self.end_others, 3)]
        works, weights = zip(*works)
        while not self.over.is_set():
            random.choices(works, weights)[0]()

    # Requests

    def begin(self, port, method, path, cookie=None, place=0):
        """Sends a request; returns what waits for its answer."""
        connection = self.connections.get((port, place))
        if not connection:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
            self.connections[port, place] = connection
        try:
            connection.request(method, path, headers={"Cookie": cookie} if cookie else {})
        except OSError:
            connection.close()
            return lambda: self.judge(Answer(None), path)

        def finish():
            try:
                response = connection.getresponse()
                answer = Answer(response.status, response.read().decode())
                if header := response.headers.get("Set-Cookie"):
                    answer.cookie = header.split(";")[0]
            except (OSError, http.client.HTTPException):
                connection.close()
                answer = Answer(None)
            return self.judge(answer, path)

        return finish

    def judge(self, answer, path):
        now = time.monotonic()
        if answer.status == 200:
            with self.ledger.lock:
                self.ledger.longest = max(self.ledger.longest, now - self.succeeded)
            self.succeeded = now
        elif answer.status in (None, 503):
            self.ledger.count("503" if answer.status else "no answer")
            time.sleep(0.02)
        else:
            self.ledger.count("other", f"{path}: {answer}")
        return answer

    def ask(self, method, path, cookie=None, port=None):
        return self.begin(port or next(self.turn), method, path, cookie)()

    def read(self, path, cookie):
        """Asks until there is an answer."""
        while (answer := self.ask("GET", path, cookie)).status != 200:
            pass
        return answer.text

    # Operations

    def increment(self):
        session, name = random.choice(self.ledger.sessions), str(random.randrange(NUMBERS))
        answer = self.ask("POST", f"/numbers/{name}", session.cookie)
        with self.ledger.lock:
            if answer.status == 200:
                self.ledger.counts["increments"] += 1
                session.acknowledged[name] += 1
            else:
                session.doubtful[name] += 1
        if answer.cookie:
            self.ledger.count("stale", f"a new session in place of {session.cookie[:9]}")

    def sign_in(self, user=None):
        """The user and the cookie, if it was acknowledged."""
        self.users += not user
        user = user or f"user-{self.number}-{self.users}"
        answer = self.ask("POST", f"/log_in/{user}")
        if answer.status == 200:
            self.ledger.count("sign-ins")
            return user, answer.cookie
        return user, None

    def expect(self, user, cookie, what):
        """At each application, as far as it answers; not first at the one that was asked last."""
        for _ in self.ports:
            answer = self.ask("GET", "/user", cookie)
            if answer.status == 200 and answer.text != user:
                self.ledger.count("stale", f"{what}: {answer.text!r} instead of {user!r}")

    def sign_out(self):
        """While another request of the session writes, at another application."""
        user, cookie = self.sign_in()
        if not cookie:
            return
        self.expect(user, cookie, "a sign-in")
        late = self.begin(next(self.turn), "POST", f"/slow/{random.randrange(6)}", cookie, place=1)
        answer = self.ask("POST", "/log_out", cookie)
        ended = answer.status == 200
        if ended:
            self.ended(cookie, "sign-outs", "a sign-out")
        late()
        if ended:
            self.expect("", cookie, "a sign-out")

    def end_others(self):
        (user, mine), (_, other) = (first := self.sign_in()), self.sign_in(first[0])
        if not mine or not other:
            return
        answer = self.ask("POST", "/end_others", mine)
        if answer.status == 200:
            self.ended(other, "devices", "the end of a device")
            self.expect(user, answer.cookie or mine, "the session that ended others")

    def ended(self, cookie, what, note):
        with self.ledger.lock:
            self.ledger.counts[what] += 1
            self.ledger.ended.append(cookie)
        self.expect("", cookie, note)


class Clients:
    """They work as long as this context is open."""

    def __init__(self, ports):
        self.ledger = Ledger()
        self.all = [Client(number, ports, self.ledger) for number in range(CLIENTS)]
        # Asks for the script itself, and counts nothing.
        self.script = Client(0, ports, Ledger())
        for number in range(SESSIONS):
            cookie = None
            while not cookie:
                _, cookie = self.script.sign_in(f"counter-{number}")
            self.ledger.sessions.append(Counted(cookie))

    def __enter__(self):
        for client in self.all:
            client.succeeded = time.monotonic()
            client.start()
        return self

    def __exit__(self, *_):
        now = time.monotonic()
        for client in self.all:
            client.over.set()
            self.ledger.longest = max(self.ledger.longest, now - client.succeeded)
        for client in self.all:
            client.join()

    def wait_until_well(self):
        """Until each application saves; returns the seconds."""
        begin = time.monotonic()
        for port in self.script.ports:
            while self.script.ask("POST", "/log_in/probe", port=port).status != 200:
                if time.monotonic() > begin + 120:
                    raise RuntimeError(f"the application on port {port} does not save")
        return time.monotonic() - begin

    def check(self):
        self.ledger.check(self.script)
        return self.ledger
