#!/usr/bin/env bash
# Measures this crate beside other servers, on one machine; see README.md.
#
#   bench/run.sh [--peers own-mysql,floor] [--scenarios S1,S2] [--runs 3] [--secs 10] [--help]
#   bench/run.sh cleanup backlog|idle|stream ['{cleanup_interval="1s"}']
set -euo pipefail
cd "$(dirname "$0")/.."
. testing/packages.sh

needed='mariadb-server|libmariadb-dev|postgresql|libpq-dev|pkg-config|redis-server|redis-tools|nodejs|npm'
missing_here() {
    missing_packages | grep -xE "$needed" || true
    type -P wrk >/dev/null || echo wrk
}
install_packages missing_here
type -P cargo >/dev/null || fail "please install Rust, as rustup.rs describes it"

export PYTHONDONTWRITEBYTECODE=1
[[ ${1:-} == cleanup ]] && script=cleanup && shift || script=measure
exec python3 "bench/$script.py" "$@"
