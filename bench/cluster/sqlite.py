"""Two applications on one file of SQLite."""

import contextlib
import os

from .node import FullDisk

MEGABYTES = 16


class SQLite:
    name, may_lose = "sqlite", ()
    # Processes of one machine share a clock, so both are set, and by less than the idle timeout.
    clock_steps = ("-1h", "-1h")
    short = "an application: kill -9"

    def __init__(self, folder, _network):
        self.disk = FullDisk(f"{folder}/sqlite", MEGABYTES)

    def start(self):
        pass

    def stop(self):
        self.disk.stop()

    def answers(self):
        return True

    def urls(self):
        return [f"sqlite:{self.disk.folder}/app.db"] * 2

    def faults(self):
        yield "disk full", self.disk.full if self.disk.is_small else None
