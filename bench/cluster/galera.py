"""Three nodes of MariaDB with Galera, durable as MariaDB is by default; each application knows all of them."""

import contextlib
import glob
import os
import re
import shutil

from rig import processes
from rig.server import free_port

from .network import Loopback
from .node import Cluster, FullDisk, Node, again_and_again

USERS = """CREATE DATABASE session; CREATE USER session@'%' IDENTIFIED BY 'session';
    GRANT ALL ON session.* TO session@'%';"""
# Ends all connections of applications; one that is closed already is no error.
CLOSE = """BEGIN NOT ATOMIC
    DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;
    FOR it IN (SELECT id FROM information_schema.processlist WHERE user = 'session')
    DO KILL it.id; END FOR;
END"""
MEGABYTES = 256


class MariaDB(Node):
    def __init__(self, folder, number, network):
        self.folder, self.number = f"{folder}/galera-{number}", number
        self.log = f"{folder}/galera-{number}.log"
        self.place = network.place() if network.separate else Loopback
        self.port, self.group, self.state, self.transfer = (free_port() for _ in range(4))
        self.disk = FullDisk(self.folder, MEGABYTES)
        self.first = False

    def command(self):
        # As root they run as mysql, or the state transfer fails.
        user = processes.run("id", "-un") if os.geteuid() else "mysql"
        if not os.path.isdir(f"{self.folder}/data/mysql"):
            os.makedirs(f"{self.folder}/data", exist_ok=True)
            processes.run("chown", "-R", user, self.folder)
            processes.run("mariadb-install-db", "--no-defaults", f"--user={user}", "--skip-test-db",
                          f"--datadir={self.folder}/data", "--innodb-log-file-size=16M",
                          "--auth-root-authentication-method=normal",
                          env={**os.environ, "TMPDIR": self.folder})
        address, options = self.place.address, f"gmcast.listen_addr=tcp://{self.address()}"
        self.environment = {**os.environ, "TMPDIR": self.folder}
        return [*self.place.within, "mariadbd", "--no-defaults", f"--user={user}",
                f"--datadir={self.folder}/data", f"--socket={self.folder}/socket",
                f"--port={self.port}", f"--bind-address={address}", "--skip-name-resolve",
                "--max-connections=300", "--performance-schema=OFF", "--binlog-format=ROW",
                "--innodb-log-file-size=16M", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON",
                f"--wsrep-provider={glob.glob('/usr/lib*/galera/libgalera_smm.so')[0]}",
                f"--wsrep-cluster-address=gcomm://{self.cluster}", f"--wsrep-node-address={address}",
                "--wsrep-sst-method=rsync", f"--wsrep-sst-receive-address={address}:{self.transfer}",
                f"--wsrep-provider-options={options};gcache.size=32M;"
                f"ist.recv_addr={address}:{self.state}",
                *(["--wsrep-new-cluster"] if self.first else self.position())]

    def address(self):
        return f"{self.place.address}:{self.group}"

    def position(self):
        """Where a node that was killed had arrived, as systemd's unit asks for it; otherwise it would get
        everything anew."""
        if not os.path.exists(f"{self.folder}/data/grastate.dat"):
            return []
        command = ["mariadbd", "--no-defaults", "--wsrep-recover", "--wsrep-on=ON", "--skip-networking",
                   f"--datadir={self.folder}/data", f"--socket={self.folder}/recovery",
                   "--innodb-log-file-size=16M"] + ([] if os.geteuid() else ["--user=mysql"])
        position = re.search(r"Recovered position:\s*(\S+)", processes.printed(*command))
        return [f"--wsrep-start-position={position[1]}"] if position else []

    def sql(self, text):
        return processes.run("mariadb", "--no-defaults", "-uroot", f"-S{self.folder}/socket", "-NB",
                             "--connect-timeout=2", text=text, timeout=10)

    def answers(self):
        """Whether it is in the cluster: one that was stopped says so before it notices that it is not."""
        with contextlib.suppress(RuntimeError):
            return self.sql("SET wsrep_sync_wait = 7; SELECT COUNT(*) FROM mysql.user") != ""


class Galera(Cluster):
    name, may_lose = "galera", ()
    clock_steps = ("+3h", "-3h", "+6m")
    short = "a node: kill -9"

    def __init__(self, folder, network):
        self.network = network
        self.nodes = [MariaDB(folder, number, network) for number in (1, 2, 3)]
        for node in self.nodes:
            node.cluster = ",".join(other.address() for other in self.nodes)

    def start(self):
        first, *others = self.nodes
        first.first = True
        first.start()
        first.first = False
        first.sql(USERS)
        for node in others:
            node.start()

    def urls(self):
        """Each application has another node first."""
        hosts = [f"{node.place.address}:{node.port}" for node in self.nodes]
        return [f"mysql://session:session@{','.join(hosts[first:] + hosts[:first])}/session"
                for first in range(len(hosts))]

    def faults(self):
        """What is done to it: its name, and a context in which it is so."""
        one, two, three = self.nodes
        yield "a node: kill -9", two.killed
        yield "connections killed every 100 ms", self.closed
        yield "a node: SIGSTOP", three.stopped
        yield "a node: cut off from the others (gmcast.isolate)", self.isolated
        yield "a node: network cut", three.cut_off if self.network.separate else None
        yield "a node: lost its data, full state transfer", self.emptied
        yield "a node: read-only", self.read_only
        yield "a node: disk full", (lambda: three.disk.full(three)) if three.disk.is_small else None
        yield "two nodes: kill -9", self.two_killed
        yield "all nodes: kill -9", self.all_killed

    @contextlib.contextmanager
    def closed(self):
        def close():
            for node in self.nodes:
                node.sql(CLOSE)
        with again_and_again(close, 0.1):
            yield

    @contextlib.contextmanager
    def isolated(self):
        node = self.nodes[2]
        node.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
        yield
        node.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")
        node.wait()

    @contextlib.contextmanager
    def emptied(self):
        node = self.nodes[1]
        node.kill()
        shutil.rmtree(f"{node.folder}/data")
        yield
        node.start()

    @contextlib.contextmanager
    def read_only(self):
        node = self.nodes[0]
        node.sql("SET GLOBAL read_only = 1")
        yield
        node.sql("SET GLOBAL read_only = 0")

    @contextlib.contextmanager
    def two_killed(self):
        yield from self.together(self.nodes[1:])

    @contextlib.contextmanager
    def all_killed(self):
        yield from self.together(self.nodes)

    def together(self, nodes):
        """Kills so many that the rest stops. They know their last view, and go on once all are there."""
        for node in nodes:
            node.kill()
        yield
        for node in nodes:
            node.launch()
        for node in self.nodes:
            node.wait()
