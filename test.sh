#!/usr/bin/env bash
# Runs every test on every backend: SQLite, MariaDB, PostgreSQL, Redis, and with
# the browser, the Diesel CLI and Express.
#
#   ./test.sh                        all of them
#   ./test.sh contract               those whose name contains "contract"
#   ./test.sh --test NAME -- --exact whatever `cargo test` and its runner accept
#   ./test.sh --install-only         install the needed Debian packages, test nothing
#
# The servers are private to one run: on free ports of 127.0.0.1, with their data
# in a temporary folder (in TMPDIR), stopped and removed at the end.
# Screenshots go to TEST_ARTEFACTS, whose place is printed at the end.
set -euo pipefail

PATH="$PATH:/usr/sbin:/sbin" # mariadbd, nginx and runuser; not in every user's PATH

fail() {
    echo "test.sh: $1" >&2
    exit 1
}

# Runs a command; if it fails, shows its log.
logged() {
    local log=$1
    shift
    "$@" >>"$log" 2>&1 </dev/null && return
    cat "$log" >&2
    fail "failed: $*"
}

# The folder of the newest PostgreSQL server; Debian keeps it out of PATH.
postgres_bin() {
    { compgen -G '/usr/lib/postgresql/*/bin/initdb' || type -P initdb || true; } |
        sort -V | tail -n 1 | sed 's|/initdb$||'
}

# The version that the packages of the Express application ask for.
has_node() {
    type -P npm >/dev/null &&
        [[ $(printf '%s\n' v18.19 "$(node --version 2>/dev/null)" | sort -V | head -n 1) == v18.19 ]]
}

missing_packages() {
    type -P mariadbd >/dev/null || echo mariadb-server
    pkg-config --exists libmariadb 2>/dev/null || echo libmariadb-dev
    [[ -n $(postgres_bin) ]] || echo postgresql
    pkg-config --exists libpq 2>/dev/null || echo libpq-dev
    type -P pkg-config >/dev/null || echo pkg-config
    type -P chromium >/dev/null || echo chromium
    type -P chromedriver >/dev/null || echo chromium-driver
    type -P redis-server >/dev/null || echo redis-server
    type -P redis-cli >/dev/null || echo redis-tools
    type -P nginx >/dev/null || echo nginx-light
    type -P haproxy >/dev/null || echo haproxy
    type -P openssl >/dev/null || echo openssl
    has_node || printf '%s\n' nodejs npm
}

install_packages() {
    local packages as_root=()
    mapfile -t packages < <(missing_packages)
    ((${#packages[@]})) || return 0
    type -P apt-get >/dev/null || fail "no apt-get here; please install: ${packages[*]}"
    if ((EUID)); then
        type -P sudo >/dev/null || fail "neither root nor sudo; please install: ${packages[*]}"
        as_root=(sudo)
    fi
    echo "Installing what the tests need and this machine lacks (takes minutes): ${packages[*]}"
    "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        install -y --no-install-recommends "${packages[@]}"
}

# The command line that the migrations are made for. Built once: it takes minutes.
install_diesel_cli() {
    local root=${CARGO_TARGET_DIR:-target}/diesel_cli
    cargo install --quiet --locked --root "$root" diesel_cli --version "$diesel_cli" \
        --no-default-features --features sqlite-bundled,mysql,postgres
    TEST_DIESEL_CLI=$(realpath "$root/bin/diesel")
    export TEST_DIESEL_CLI
}

# The packages of the Express application, in its folder.
install_express() {
    TEST_EXPRESS=$PWD/examples/moving_from_express/express
    export TEST_EXPRESS
    has_node || fail "the tests need npm and Node 18.19 or later in PATH"
    [[ $TEST_EXPRESS/node_modules/.package-lock.json -nt $TEST_EXPRESS/package-lock.json ]] ||
        logged "$work/npm.log" npm ci --no-audit --no-fund --prefix "$TEST_EXPRESS"
}

# The data is thrown away, so nothing has to be shut down gracefully; KILL also
# ends a MariaDB that a test left stopped.
clean_up() {
    local status=$?
    trap '' INT TERM HUP
    # The tests' whole process group: the browser and its driver too.
    [[ -z $tests ]] || kill -KILL -- "-$tests" 2>/dev/null || true
    ((${#servers[@]} == 0)) || kill -KILL "${servers[@]}" 2>/dev/null || true
    ((${#postgres[@]} == 0)) || as_postgres "${postgres[@]}" stop -m immediate &>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
    exit "$status"
}

# In the background, because bash answers signals only once a foreground command
# ends; under `set -m`, because that gives the tests a process group of their own.
run_tests() {
    local cargo_arguments=() status=0
    while (($#)) && [[ $1 != -- ]]; do
        cargo_arguments+=("$1")
        shift
    done
    set -m
    cargo test --workspace --all-features --no-fail-fast "${cargo_arguments[@]}" \
        -- --include-ignored "${@:2}" </dev/null &
    tests=$!
    set +m
    wait "$tests" || status=$?
    echo "Screenshots: $TEST_ARTEFACTS"
    return "$status"
}

# Nothing that opens a session, and no password, may be in any file that the servers
# and the applications have written; the tests note what they are given and send.
find_secrets() {
    local found status=0
    sort -u -o "$TEST_SECRETS" "$TEST_SECRETS"
    found=$(LC_ALL=C grep -raoFf "$TEST_SECRETS" --exclude="${TEST_SECRETS##*/}" "$work" |
        sort | uniq -c) || status=$?
    echo "Secrets looked for: $(wc -l <"$TEST_SECRETS"), in files:" \
        "$(find "$work" -type f | wc -l), found: ${found:-none}"
    ((status == 1))
}

install_packages
[[ ${1:-} != --install-only ]] || exit 0

TEST_ARTEFACTS=$(realpath -m "${TEST_ARTEFACTS:-${TMPDIR:-/tmp}/rocket_diesel_session-artefacts}")
export TEST_ARTEFACTS
mkdir -p "$TEST_ARTEFACTS"
cd "$(dirname "${BASH_SOURCE[0]}")"
. testing/servers.sh

diesel_cli=2.3.14
work='' tests=''
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
work=$(mktemp -d -t rds.XXXXXX)
chmod 711 "$work"     # lets the user postgres through
export TMPDIR="$work" # what an interrupted test leaves behind is removed too
export TEST_SECRETS="$work/secrets"
: >"$TEST_SECRETS"
install_diesel_cli
install_express
start_mariadb
start_postgres
start_redis
start_redis_cluster
status=0
run_tests "$@" || status=$?
[[ -s $TEST_SECRETS || $# -gt 0 ]] || fail "the tests have noted no secret"
find_secrets || fail "what is secret was left behind: see above"
exit "$status"
