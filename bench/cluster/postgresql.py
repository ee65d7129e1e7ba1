"""A primary of PostgreSQL and a synchronous standby; each application knows both."""

import contextlib
import os
import shutil

from rig import processes
from rig.postgresql import program
from rig.server import free_port

from .network import Loopback
from .node import Cluster, FullDisk, Node, again_and_again

CLOSE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'session'"
MEGABYTES = 256
# It refuses to run as root.
USER = [] if os.geteuid() else ["runuser", "-u", "postgres", "--"]


class Server(Node):
    def __init__(self, folder, number, network):
        self.folder, self.log = f"{folder}/postgresql-{number}", f"{folder}/postgresql-{number}.log"
        self.place = network.place() if network.separate else Loopback
        self.port = free_port()
        self.disk = FullDisk(self.folder, MEGABYTES)
        self.data = f"{self.folder}/data"

    def command(self):
        return [*self.place.within, *USER, program("postgres"), "-D", self.data, f"--port={self.port}",
                f"--listen_addresses={self.place.address}", f"--unix_socket_directories={self.folder}",
                "--max_connections=100", "--max_wal_size=64MB", "--wal_sender_timeout=5s",
                "--wal_receiver_timeout=5s", "--wal_keep_size=64MB"]

    def create(self):
        self.clear()
        processes.run(*USER, program("initdb"), "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                      "--locale=C", cwd="/")
        with open(f"{self.data}/pg_hba.conf", "a") as file:
            file.write("host all all samenet trust\nhost replication all samenet trust\n")

    def copy(self, primary):
        """Makes it a standby."""
        self.clear()
        processes.run(*self.place.within, *USER, program("pg_basebackup"), "-D", self.data, "-R", "-c", "fast", "-d",
                      f"host={primary.place.address} port={primary.port} user=postgres connect_timeout=2", cwd="/")

    def clear(self):
        shutil.rmtree(self.data, ignore_errors=True)
        if USER:
            shutil.chown(self.folder, "postgres")

    def sql(self, text, database="postgres"):
        client = [program("psql"), "-qXAt", "-vON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port),
                  "-U", "postgres", database]
        return processes.run(*client, text=text, timeout=10)

    def set(self, name, value):
        self.sql(f"ALTER SYSTEM SET {name} = {value}")
        self.sql("SELECT pg_reload_conf()")

    def answers(self):
        with contextlib.suppress(RuntimeError):
            return self.sql("SELECT 1") != ""


class PostgreSQL(Cluster):
    name, may_lose = "postgresql", ()
    clock_steps = ("+3h", "-3h", "+6m")
    short = "the primary: kill -9, the standby promoted"

    def __init__(self, folder, network):
        self.network = network
        self.primary, self.standby = (Server(folder, number, network) for number in (1, 2))
        self.nodes = (self.primary, self.standby)

    def start(self):
        self.primary.create()
        self.primary.start()
        self.primary.sql("CREATE ROLE session LOGIN")
        self.primary.sql("CREATE DATABASE session OWNER session")
        self.attach()

    def attach(self):
        """Makes the other server a standby, for which each commit waits."""
        self.standby.copy(self.primary)
        self.standby.start()
        self.primary.set("synchronous_standby_names", "'*'")

    def answers(self):
        """Whether a commit is acknowledged, for which the standby must be there."""
        with contextlib.suppress(RuntimeError):
            return self.primary.sql("SELECT pg_logical_emit_message(true, 'probe', '')") != ""

    def urls(self):
        hosts = ",".join(f"{it.place.address}:{it.port}" for it in self.nodes)
        return [f"postgres://session@{hosts}/session"] * 3

    def faults(self):
        yield "the primary: kill -9, the standby promoted", self.promoted
        yield "connections killed every 100 ms", self.closed
        yield "the primary: kill -9, restarted", lambda: self.primary.killed()
        yield "the primary: SIGSTOP", lambda: self.primary.stopped()
        yield "the primary: network cut", (lambda: self.primary.cut_off()) if self.network.separate else None
        yield "the standby: kill -9", lambda: self.standby.killed()
        yield "the primary: read-only", self.read_only
        disk = self.primary.disk.is_small
        yield "the primary: disk full", (lambda: self.primary.disk.full(self.primary)) if disk else None

    @contextlib.contextmanager
    def promoted(self):
        """The old primary comes back as the standby, by a full copy."""
        self.primary.kill()
        self.primary, self.standby = self.standby, self.primary
        self.primary.sql("SELECT pg_promote()")
        # It has no standby for which commits could wait.
        self.primary.set("synchronous_standby_names", "''")
        yield
        self.attach()

    @contextlib.contextmanager
    def closed(self):
        with again_and_again(lambda: self.primary.sql(CLOSE), 0.1):
            yield

    @contextlib.contextmanager
    def read_only(self):
        self.primary.set("default_transaction_read_only", "on")
        yield
        self.primary.sql("SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only")
        self.primary.sql("SELECT pg_reload_conf()")
