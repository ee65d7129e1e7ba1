"""A process that faults happen to: an application, or a node of a database."""

import contextlib
import os
import signal
import subprocess
import threading
import time

from rig import processes


class Node:
    """Has `command()` and `answers()`; `log` is its file for output. A node of a database has a `disk`."""

    process, environment = None, None

    def launch(self):
        """Starts it, and does not wait."""
        with open(self.log, "a") as output:
            self.process = subprocess.Popen(self.command(), env=self.environment, cwd="/", stdout=output,
                                            stdin=subprocess.DEVNULL, stderr=output, start_new_session=True)

    def start(self):
        self.launch()
        self.wait()

    def wait(self, seconds=120):
        """Until it answers."""
        end = time.monotonic() + seconds
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.log}: {self.process.args[0]} does not answer")
            time.sleep(0.05)

    def signal(self, number):
        """Sends a signal to the process and to those that it started."""
        for process in reversed(processes.tree(self.process)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()

    def stop(self):
        self.kill()
        self.disk.stop()

    @contextlib.contextmanager
    def killed(self):
        self.kill()
        yield
        self.start()

    @contextlib.contextmanager
    def stopped(self):
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)
        self.wait()

    @contextlib.contextmanager
    def cut_off(self):
        """For a node in a namespace."""
        self.place.cut()
        try:
            yield
        finally:
            self.place.join()
        self.wait()


class Cluster:
    """A database of several `nodes`."""

    def stop(self):
        for node in self.nodes:
            node.stop()

    def answers(self):
        return all(node.answers() for node in self.nodes)


class FullDisk:
    """A folder on a disk of so many megabytes, where this process may mount one."""

    def __init__(self, folder, megabytes):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.fill = folder, f"{folder}/fill"
        size = f"size={megabytes}m"
        self.is_small = processes.attempt("mount", "-t", "tmpfs", "-o", size, "tmpfs", folder)

    @contextlib.contextmanager
    def full(self, node=None):
        with open(self.fill, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        try:
            yield
        finally:
            os.remove(self.fill)
        if node:
            try:
                node.wait()
            except RuntimeError:  # It ended for want of room, perhaps only now.
                node.start()

    def stop(self):
        if self.is_small:
            processes.attempt("umount", "-l", self.folder)


@contextlib.contextmanager
def again_and_again(work, seconds):
    """Does it all the time, in a thread."""
    over = threading.Event()

    def repeat():
        while not over.wait(seconds):
            with contextlib.suppress(RuntimeError):
                work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
