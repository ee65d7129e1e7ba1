#!/usr/bin/env python3
"""What deleting a million expired sessions does to live requests: this crate's sweeper, while it
serves. Started by run.sh, with the file of its peers; the load is that of the rig's cleanup.py."""

import os
import sys
import time
import types

rig = os.environ["RIG"]
sys.path.insert(0, rig)
import bench

# The rig's script runs when it is imported: all of it but that, and for as long as it takes.
cleanup = types.ModuleType("cleanup")
source = open(f"{rig}/cleanup.py").read().replace("-d600s", "-d7200s")
exec(source[: source.rindex("main()")], cleanup.__dict__)

EXPIRED = int(os.environ.get("EXPIRED", 1_000_000))
FILL = f"""INSERT INTO rig_own.sessions SELECT SHA2(CONCAT('expired', seq), 256), seq % 10000 + 1,
  (SELECT data FROM rig_own.sessions LIMIT 1), 0, 0, 0, 1 + seq % 86400, 1 + seq % 86400, NULL, NULL
  FROM rig.big WHERE seq <= {EXPIRED}"""
# Each session in use is touched once per interval, all of them at about the same time. A window that
# does not span whole intervals says little beside one that does.
TOUCH_INTERVAL = 120
DIRTY = "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'"
# To count them would take longer than to delete them.
LEFT = "SELECT 1 FROM rig_own.sessions WHERE expires_at <= 86400 LIMIT 1"


def fill():
    """And has the database write that to its files: none of it is the sweeper's doing."""
    bench.sql(FILL)
    bench.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0")
    while int(bench.sql(DIRTY).split()[-1]) > 100:
        time.sleep(1)
    bench.sql("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT")


def swept():
    while bench.sql(LEFT):
        time.sleep(1)
    return f"{EXPIRED} rows"


def main(peers, settings):
    server = bench.load_peers([f"{rig}/peers.toml", peers])["own-mysql"]
    server["env"] = {**server["env"], "ROCKET_SESSION": settings}
    bench.base_data()
    bench.sql(f"""USE rig; CREATE TABLE IF NOT EXISTS big (seq INT PRIMARY KEY);
      INSERT IGNORE INTO big SELECT seq FROM seq_1_to_{EXPIRED}""")
    process, cookies = bench.prepare(server, 5_000, 100_000)
    window = lambda label, work: cleanup.window(
        label, server, open(cookies).read().split(), cookies, work
    )
    try:
        window("no clean-up", lambda: time.sleep(2 * TOUCH_INTERVAL) or "")
        process.stop()
        fill()
        process.start()
        window(f"sweeper {settings}", swept)
        window("afterwards", lambda: time.sleep(TOUCH_INTERVAL) or "")
    finally:
        process.stop()


main(*sys.argv[1:])
