"""Addresses for the nodes of a database: a network namespace for each, which can be cut off, where this
process may make them, otherwise 127.0.0.1."""

import os

from rig import processes

# For measurements between machines (RFC 2544), so no real network has it.
NETWORK = "198.18.77"


class Network:
    def __init__(self):
        self.name = f"faults{os.getpid() % 10_000}"
        self.count = 0
        try:
            processes.run("ip", "link", "add", self.name, "type", "bridge")
            processes.run("ip", "address", "add", f"{NETWORK}.254/24", "dev", self.name)
            processes.run("ip", "link", "set", self.name, "up")
            self.place()
            self.separate = True
        except (RuntimeError, OSError):
            self.stop()
            self.separate = False

    def place(self):
        """A new place for a node."""
        self.count += 1
        return Place(self.name, self.count)

    def stop(self):
        for number in range(1, self.count + 1):
            processes.attempt("ip", "netns", "delete", f"{self.name}-{number}")
        processes.attempt("ip", "link", "delete", self.name)


class Place:
    """A namespace with an address."""

    def __init__(self, bridge, number):
        self.namespace, self.cable = f"{bridge}-{number}", f"{bridge}.{number}"
        self.address = f"{NETWORK}.{number}"
        self.within = ["ip", "netns", "exec", self.namespace]
        inside = ["ip", "-n", self.namespace]
        processes.run("ip", "netns", "add", self.namespace)
        processes.run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0",
                      "netns", self.namespace)
        processes.run("ip", "link", "set", self.cable, "master", bridge, "up")
        processes.run(*inside, "address", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            processes.run(*inside, "link", "set", device, "up")

    def cut(self):
        processes.run("ip", "link", "set", self.cable, "down")

    def join(self):
        processes.run("ip", "link", "set", self.cable, "up")


class Loopback:
    """All nodes of this machine."""

    address, within = "127.0.0.1", []
