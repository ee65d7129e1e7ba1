#!/usr/bin/env bash
# Runs every test on every backend: SQLite, MariaDB, PostgreSQL, the browser and
# the Diesel CLI.
#
#   ./test.sh                        all of them
#   ./test.sh contract               those whose name contains "contract"
#   ./test.sh --test NAME -- --exact whatever `cargo test` and its runner accept
#   ./test.sh --install-only         install the needed Debian packages, test nothing
#
# The database servers are private to one run: on free ports of 127.0.0.1, with
# their data in a temporary folder (in TMPDIR), stopped and removed at the end.
# Screenshots go to TEST_ARTEFACTS, whose place is printed at the end.
set -euo pipefail

PATH="$PATH:/usr/sbin:/sbin" # mariadbd and runuser; not in every user's PATH

fail() {
    echo "test.sh: $1" >&2
    exit 1
}

# The folder of the newest PostgreSQL server; Debian keeps it out of PATH.
postgres_bin() {
    { compgen -G '/usr/lib/postgresql/*/bin/initdb' || type -P initdb || true; } |
        sort -V | tail -n 1 | sed 's|/initdb$||'
}

missing_packages() {
    type -P mariadbd >/dev/null || echo mariadb-server
    pkg-config --exists libmariadb 2>/dev/null || echo libmariadb-dev
    [[ -n $(postgres_bin) ]] || echo postgresql
    pkg-config --exists libpq 2>/dev/null || echo libpq-dev
    type -P pkg-config >/dev/null || echo pkg-config
    type -P chromium >/dev/null || echo chromium
    type -P chromedriver >/dev/null || echo chromium-driver
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

# Below the range from which the kernel hands out ports by itself.
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); do
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# Runs a command; if it fails, shows its log.
logged() {
    local log=$1
    shift
    "$@" >>"$log" 2>&1 </dev/null && return
    cat "$log" >&2
    fail "failed: $*"
}

start_mariadb() {
    local home="$work/mariadb" log="$work/mariadb.log" port user
    port=$(free_port)
    user=$(id -un)
    logged "$log" mariadb-install-db --no-defaults --user="$user" --datadir="$home" \
        --auth-root-authentication-method=normal --skip-test-db
    mariadbd --no-defaults --user="$user" --datadir="$home" --socket="$work/mariadb.sock" \
        --port="$port" --bind-address=127.0.0.1 --skip-name-resolve --max-connections=300 \
        --performance-schema=OFF >>"$log" 2>&1 </dev/null &
    mariadb=$!

    local client=(mariadb --no-defaults --user=root --socket="$work/mariadb.sock"
        --connect-timeout=2)
    for ((i = 0; i < 300; i++)); do
        "${client[@]}" -e 'SELECT 1' >/dev/null 2>&1 && break
        kill -0 "$mariadb" 2>/dev/null || break
        sleep 0.2
    done
    # The tests create databases of their own, hence all rights.
    logged "$log" "${client[@]}" -e "CREATE DATABASE session CHARACTER SET utf8mb4;
        CREATE USER session@'%' IDENTIFIED BY 'session'; GRANT ALL ON *.* TO session@'%';"
    export TEST_MYSQL_URL="mysql://session:session@127.0.0.1:$port/session"
    export TEST_MARIADB_PID=$mariadb # a test stops and continues the server
}

# PostgreSQL refuses to run as root.
as_postgres() (
    cd /
    if ((EUID)); then exec "$@"; else exec runuser -u postgres -- "$@"; fi
)

start_postgres() {
    local home="$work/postgres" log="$work/postgres.log" bin port
    bin=$(postgres_bin)
    port=$(free_port)
    mkdir "$home"
    ((EUID)) || chown postgres "$home"
    logged "$log" as_postgres "$bin/initdb" -D "$home/data" -A trust -U session -E UTF8 --locale=C
    postgres=("$bin/pg_ctl" -D "$home/data")
    logged "$log" as_postgres "${postgres[@]}" start -w -t 60 -o "-c port=$port \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories='$home' -c max_connections=200"
    logged "$log" "$bin/createdb" -h 127.0.0.1 -p "$port" -U session session
    export TEST_POSTGRES_URL="postgres://session@127.0.0.1:$port/session"
}

# The data is thrown away, so nothing has to be shut down gracefully; KILL also
# ends a MariaDB that a test left stopped.
clean_up() {
    local status=$?
    trap '' INT TERM HUP
    # The tests' whole process group: the browser and its driver too.
    [[ -z $tests ]] || kill -KILL -- "-$tests" 2>/dev/null || true
    [[ -z $mariadb ]] || kill -KILL "$mariadb" 2>/dev/null || true
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
    cargo test --all-features --no-fail-fast "${cargo_arguments[@]}" \
        -- --include-ignored "${@:2}" </dev/null &
    tests=$!
    set +m
    wait "$tests" || status=$?
    echo "Screenshots: $TEST_ARTEFACTS"
    return "$status"
}

install_packages
[[ ${1:-} != --install-only ]] || exit 0

TEST_ARTEFACTS=$(realpath -m "${TEST_ARTEFACTS:-${TMPDIR:-/tmp}/rocket_diesel_session-artefacts}")
export TEST_ARTEFACTS
mkdir -p "$TEST_ARTEFACTS"
cd "$(dirname "${BASH_SOURCE[0]}")"

diesel_cli=2.3.14
work='' tests='' mariadb='' postgres=()
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
work=$(mktemp -d -t rds.XXXXXX)
chmod 711 "$work"     # lets the user postgres through
export TMPDIR="$work" # what an interrupted test leaves behind is removed too
install_diesel_cli
start_mariadb
start_postgres
run_tests "$@"
