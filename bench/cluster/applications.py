"""Processes of the application `testing/fixtures/busy.rs`, with a clock that can be set."""

import contextlib
import glob
import itertools
import json
import os
import socket
import time

from rig.server import free_port

from .node import Node

FAKETIME = "/usr/$LIB/faketime/libfaketimeMT.so.1"
HAS_FAKETIME = bool(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))


class Application(Node):
    def __init__(self, program, folder, name, url):
        self.program, self.port = program, free_port()
        self.log, self.clock = f"{folder}/{name}.log", f"{folder}/{name}.clock"
        self.set_clock("+0")
        clock = {"LD_PRELOAD": FAKETIME, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": "1",
                 "FAKETIME_TIMESTAMP_FILE": self.clock} if HAS_FAKETIME else {}
        self.environment = {
            **os.environ, **clock, "ROCKET_PORT": str(self.port), "ROCKET_ADDRESS": "127.0.0.1",
            "ROCKET_LOG_LEVEL": "normal", "ROCKET_DATABASES": f"{{app={{url={json.dumps(url)}}}}}",
            "ROCKET_SESSION": '{cookie={secure=false},cleanup_interval="1s"}'}

    def command(self):
        return [self.program]

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def set_clock(self, offset):
        with open(self.clock, "w") as file:
            file.write(offset)


class Applications:
    def __init__(self, programs, folder, database):
        """The programs in turn."""
        self.steps = database.clock_steps
        self.all = [Application(program, folder, f"{database.name}-application-{number}", url)
                    for number, (url, program) in enumerate(zip(database.urls(), itertools.cycle(programs)), 1)]

    def start(self):
        # One after the other: the first makes the table.
        for application in self.all:
            application.start()

    def stop(self):
        for application in self.all:
            application.kill()

    def faults(self):
        second = self.all[1]
        yield "an application: kill -9", second.killed
        yield "an application: SIGSTOP", second.stopped
        yield "clocks of applications set", self.clocks if HAS_FAKETIME else None

    @contextlib.contextmanager
    def clocks(self):
        for application, step in zip(self.all, self.steps):
            application.set_clock(step)
        yield
        for application in self.all:
            application.set_clock("+0")
        time.sleep(2)
