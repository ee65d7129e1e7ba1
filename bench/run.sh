#!/usr/bin/env bash
# Measures this crate beside other servers, on one machine; see README.md.
#
#   RIG=/path/to/the/rig bench/run.sh [arguments of the rig's run.sh]
#   RIG=/path/to/the/rig bench/run.sh cleanup ['{cleanup_interval="1s"}']
set -euo pipefail

rig=$(realpath "${RIG:?is not set: it names the folder of the rig}")
cd "$(dirname "$0")/.."
(($#)) || set -- --scen S0,S0b,S1,S2,S3,S4 --runs 3 --secs 10 \
    --peers floor,own-mysql,express-mysql-best,axum-tower-best,floor-sqlite-full,own-sqlite

cargo build --release --example rig --features mysql
server=$(realpath "${CARGO_TARGET_DIR:-target}/release/examples/rig")

peers=$(mktemp)
clean_up() {
    rm -f "$peers"
    "$rig/db.sh" stop
}
trap clean_up EXIT

migration=$(echo migrations/*_create_sessions/up.sql)
sed -e "s|{server}|$server|" -e "/^{migration}$/ { r $migration" -e 'd }' bench/peer.toml >"$peers"
if [[ $1 == cleanup ]]; then
    "$rig/db.sh" start
    python3 bench/cleanup.py "$peers" "${2:-{cleanup_interval=\"1s\"\}}"
else
    "$rig/run.sh" --file "$peers" "$@"
fi
