"""A private database server on a free port of 127.0.0.1."""

import os
import socket

from . import processes

CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
# As root not in root's home, which the user postgres may not enter.
DATA = os.environ.get("BENCH_DATA") or f"{CACHE if os.geteuid() else '/var/cache'}/session_bench"
USERS = 10_000


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """Its data stays in a folder; the process ends with the measurement."""

    process = None

    def __init__(self):
        self.folder = f"{DATA}/{self.name}"

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        self.port = free_port()
        log = f"{DATA}/logs/{self.name}.log"
        self.process = processes.start(self.command(), log)
        processes.wait_until(self.answers, self.process, log)

    def answers(self):
        try:
            self.ping()
            return True
        except RuntimeError:
            return False

    def stop(self):
        if self.process:
            processes.stop(self.process)

    def cpu(self):
        return processes.cpu(self.process) if self.process else 0
