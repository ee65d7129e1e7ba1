"""A cluster of Redis: three primaries with a replica each, which write to the disk before they answer."""

import contextlib

from rig import processes
from rig.server import free_port

from .network import Loopback
from .node import Cluster, FullDisk, Node, again_and_again

MEGABYTES = 64


class Redis(Node):
    def __init__(self, folder, number, network):
        self.folder, self.log = f"{folder}/redis-{number}", f"{folder}/redis-{number}.log"
        self.place = network.place() if network.separate else Loopback
        self.port, self.bus = free_port(), free_port()
        self.disk = FullDisk(self.folder, MEGABYTES)

    def command(self):
        return [*self.place.within, "redis-server", "--bind", self.place.address, "--port", str(self.port),
                "--protected-mode", "no", "--dir", self.folder, "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0", "--cluster-enabled", "yes",
                "--cluster-port", str(self.bus), "--cluster-node-timeout", "2000",
                "--cluster-require-full-coverage", "no"]

    def ask(self, *words):
        return processes.run("redis-cli", "-e", "-h", self.place.address, "-p", str(self.port), *words,
                             timeout=5)

    def answers(self):
        with contextlib.suppress(RuntimeError):
            return "cluster_state:ok" in self.ask("CLUSTER", "INFO")

    def wait(self, seconds=60):
        super().wait(seconds)

    def address(self):
        return f"{self.place.address}:{self.port}"

    def is_primary(self):
        return self.ask("ROLE").startswith("master")


class RedisCluster(Cluster):
    name = "redis cluster"
    # A replica may not have the last writes yet when it takes over.
    may_lose = ("a primary: kill -9, its replica takes over", "a primary: SIGSTOP", "a primary: network cut",
                "a primary: disk full")
    clock_steps = ("+3h", "-3h", "+6m")
    short = "connections killed every 100 ms"

    def __init__(self, folder, network):
        self.network = network
        self.nodes = [Redis(folder, number, network) for number in range(1, 7)]

    def start(self):
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            while not processes.attempt("redis-cli", "-h", node.place.address, "-p", str(node.port), "PING"):
                pass
        processes.run("redis-cli", "--cluster", "create", *(node.address() for node in self.nodes),
                      "--cluster-replicas", "1", "--cluster-yes")
        for node in self.nodes:
            node.wait()

    def urls(self):
        return [f"redis-cluster://{','.join(node.address() for node in self.nodes)}"] * 3

    def primary(self):
        return next(node for node in self.nodes if node.is_primary())

    def faults(self):
        yield "connections killed every 100 ms", self.closed
        yield "a primary: kill -9, its replica takes over", lambda: self.primary().killed()
        yield "a primary: kill -9, restarted at once", self.restarted
        yield "a primary: SIGSTOP", lambda: self.primary().stopped()
        yield "a primary: network cut", (lambda: self.primary().cut_off()) if self.network.separate else None
        yield "a primary: too few replicas to write", self.read_only
        yield "a primary: disk full", self.full if self.nodes[0].disk.is_small else None

    @contextlib.contextmanager
    def closed(self):
        def close():
            for node in self.nodes:
                node.ask("CLIENT", "KILL", "TYPE", "normal")
        with again_and_again(close, 0.1):
            yield

    @contextlib.contextmanager
    def restarted(self):
        node = self.primary()
        node.kill()
        node.start()
        yield

    @contextlib.contextmanager
    def read_only(self):
        node = self.primary()
        node.ask("CONFIG", "SET", "min-replicas-to-write", "2")
        yield
        node.ask("CONFIG", "SET", "min-replicas-to-write", "0")

    @contextlib.contextmanager
    def full(self):
        node = self.primary()
        with node.disk.full(node):
            yield
