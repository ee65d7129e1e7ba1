#!/usr/bin/env bash
# Starts servers for the tests, and prepares the programs that they run.
#
#   testing/provide.sh FOLDER mariadb galera postgresql redis redis_cluster diesel_cli express openid_provider axe schemathesis
#   testing/provide.sh FOLDER stop
#
# Each thing is provided once for a folder: the file `addresses` there says where it is, a line
# NAME=VALUE each. A server's data goes to the folder, and so does each of its statements, since
# what a test has deleted is searched for secrets too.
set -euo pipefail
folder=$(realpath "$1")
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. testing/packages.sh

# Runs a command; if it fails, shows its log.
logged() {
    local log=$1
    shift
    "$@" >>"$log" 2>&1 </dev/null && return
    cat "$log" >&2
    fail "failed: $*"
}

# Starts a server that outlives this script and its terminal; $server is its process.
start() {
    local log=$1
    shift
    setsid "$@" >>"$log" 2>&1 </dev/null 9>&- &
    server=$!
    echo "$server" >>"$folder/processes"
}

# Waits until a command succeeds.
wait_for() {
    local log=$1
    shift
    for ((i = 0; i < 300; i++)); do
        "$@" >/dev/null 2>&1 && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    cat "$log" >&2
    fail "does not answer: $*"
}

# Below the range from which the kernel hands out ports by itself.
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); do
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# The tests create databases of their own, hence all rights.
users="CREATE DATABASE session CHARACTER SET utf8mb4;
    CREATE USER session@'%' IDENTIFIED BY 'session'; GRANT ALL ON *.* TO session@'%';"

provide_mariadb() {
    local port
    port=$(free_port)
    mariadb_server mariadb "$port"
    echo "TEST_MYSQL_URL=mysql://session:session@127.0.0.1:$port/session"
    echo "TEST_MARIADB_PID=$server" # a test stops and continues the server
}

# Another one, which a test may stop or close to writes.
provide_second_mariadb() {
    local port
    port=$(free_port)
    mariadb_server second-mariadb "$port"
    echo "TEST_SECOND_MYSQL_URL=mysql://session:session@127.0.0.1:$port/session"
    echo "TEST_SECOND_MARIADB_PID=$server"
}

# Another one, with unsuitable settings.
provide_unsuitable_mariadb() {
    local port
    port=$(free_port)
    mariadb_server unsuitable-mariadb "$port" --log-bin --binlog-format=STATEMENT \
        --max-allowed-packet=1M
    echo "TEST_UNSUITABLE_MYSQL_URL=mysql://session:session@127.0.0.1:$port/session"
}

# Starts one under this name, on this port, with these further settings.
mariadb_server() {
    local home="$folder/$1" log="$folder/$1.log" port=$2 user
    user=$(id -un)
    logged "$log" mariadb-install-db --no-defaults --user="$user" --datadir="$home" \
        --auth-root-authentication-method=normal --skip-test-db
    start "$log" mariadbd --no-defaults --user="$user" --datadir="$home" \
        --socket="$home.sock" --port="$port" --bind-address=127.0.0.1 \
        --skip-name-resolve --max-connections=300 --performance-schema=OFF \
        --general-log --general-log-file="$home-statements.log" "${@:3}"

    local client=(mariadb --no-defaults --user=root --socket="$home.sock"
        --connect-timeout=2)
    wait_for "$log" "${client[@]}" -e 'SELECT 1'
    logged "$log" "${client[@]}" -e "$users"
}

# Three nodes of MariaDB. As root they run as mysql, or the state transfer fails.
provide_galera() {
    local user=mysql library nodes=() urls=() number port home log first
    ((!EUID)) || user=$(id -un)
    library=$(compgen -G '/usr/lib*/galera/libgalera_smm.so') || fail "please install galera-4"
    for number in 1 2 3; do nodes+=("127.0.0.1:$(free_port)"); done
    for number in 1 2 3; do
        home="$folder/galera-$number" log="$folder/galera-$number.log" port=$(free_port)
        ((number > 1)) && first=${nodes[0]} || first=''
        install -d -o "$user" "$home"
        logged "$log" env TMPDIR="$home" mariadb-install-db --no-defaults --user="$user" \
            --datadir="$home/data" --auth-root-authentication-method=normal --skip-test-db
        start "$log" env TMPDIR="$home" mariadbd --no-defaults --user="$user" --datadir="$home/data" \
            --socket="$home/sock" --port="$port" --bind-address=127.0.0.1 --skip-name-resolve \
            --max-connections=300 --performance-schema=OFF --general-log \
            --general-log-file="$home/statements.log" --binlog-format=ROW \
            --innodb-autoinc-lock-mode=2 --wsrep-on=ON --wsrep-provider="$library" \
            --wsrep-cluster-name=test --wsrep-cluster-address="gcomm://$first" \
            --wsrep-node-address=127.0.0.1 --wsrep-sst-method=rsync \
            --wsrep-sst-receive-address="127.0.0.1:$(free_port)" \
            --wsrep-provider-options="gmcast.listen_addr=tcp://${nodes[number - 1]};ist.recv_addr=127.0.0.1:$(free_port)"
        wait_for "$log" is_synced "$home/sock"
        urls+=("mysql://session:session@127.0.0.1:$port/session")
    done
    logged "$log" mariadb --no-defaults --user=root --socket="$home/sock" -e "$users"
    echo "TEST_GALERA_URLS=$(IFS=,; echo "${urls[*]}")"
}

# Whether the node at this socket has all that the cluster has.
is_synced() {
    [[ $(mariadb --no-defaults --user=root --socket="$1" --connect-timeout=2 \
        -e "SHOW STATUS LIKE 'wsrep_local_state_comment'" 2>&1) == *Synced* ]]
}

# PostgreSQL refuses to run as root.
as_postgres=()
((EUID)) || as_postgres=(runuser -u postgres --)

provide_postgresql() {
    local port
    port=$(free_port)
    postgresql_server postgres "$port"
    echo "TEST_POSTGRES_URL=postgres://session@127.0.0.1:$port/session"
}

# Another one, which a test may stop or close to writes.
provide_second_postgresql() {
    local port
    port=$(free_port)
    postgresql_server second-postgres "$port"
    echo "TEST_SECOND_POSTGRES_URL=postgres://session@127.0.0.1:$port/session"
    echo "TEST_SECOND_POSTGRES_PID=$(head -n 1 "$folder/second-postgres/data/postmaster.pid")"
}

# In front of PostgreSQL, one for each mode of its pools. As root they run as postgres.
provide_pgbouncer() {
    local user=() mode size home port urls=()
    grep -qx postgresql "$folder/provided" || fail "PgBouncer needs PostgreSQL"
    ((EUID)) || user=(-u postgres)
    for mode in transaction statement session; do
        home="$folder/pgbouncer-$mode" port=$(free_port)
        [[ $mode == session ]] && size=50 || size=3
        mkdir "$home"
        printf '%s\n' '[databases]' \
            "* = $(sed -En 's|^TEST_POSTGRES_URL=.*@(.*):(.*)/.*|host=\1 port=\2|p' "$folder/addresses") user=session" \
            '[pgbouncer]' "pool_mode = $mode" "default_pool_size = $size" 'max_client_conn = 200' \
            'listen_addr = 127.0.0.1' "listen_port = $port" 'unix_socket_dir =' \
            'auth_type = any' >"$home/pgbouncer.ini"
        start "$home/log" pgbouncer "${user[@]}" "$home/pgbouncer.ini"
        wait_for "$home/log" "$(postgres_bin)/pg_isready" -h 127.0.0.1 -p "$port"
        urls+=("postgres://session@127.0.0.1:$port/session")
    done
    echo "TEST_PGBOUNCER_URLS=$(IFS=,; echo "${urls[*]}")"
}

# Starts one under this name, on this port.
postgresql_server() {
    local home="$folder/$1" log="$folder/$1.log" port=$2 bin
    bin=$(postgres_bin)
    mkdir "$home"
    ((EUID)) || chown postgres "$home"
    cd / # the user postgres may not read this folder
    logged "$log" "${as_postgres[@]}" "$bin/initdb" -D "$home/data" -A trust -U session -E UTF8 \
        --locale=C
    start "$log" "${as_postgres[@]}" "$bin/postgres" -D "$home/data" -c port="$port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories="$home" -c max_connections=200 \
        -c log_statement=all
    wait_for "$log" "$bin/pg_isready" -h 127.0.0.1 -p "$port"
    logged "$log" "$bin/createdb" -h 127.0.0.1 -p "$port" -U session session
    cd - >/dev/null
}

# The URL's number of a database, such as /7, is up to each test.
provide_redis() {
    local port
    port=$(free_port)
    redis_server redis "$port" --databases 4096
    echo "TEST_REDIS_URL=redis://127.0.0.1:$port"
}

provide_redis_cluster() {
    local log="$folder/cluster.log" nodes=() number port
    for number in 1 2 3; do
        port=$(free_port)
        redis_server "node-$number" "$port" --cluster-enabled yes --cluster-port "$(free_port)"
        nodes+=("127.0.0.1:$port")
    done
    logged "$log" redis-cli --cluster create "${nodes[@]}" --cluster-yes
    for port in "${nodes[@]#*:}"; do
        wait_for "$log" redis_answers "$port" cluster_state:ok CLUSTER INFO
    done
    echo "TEST_REDIS_CLUSTER_URL=redis-cluster://$(IFS=,; echo "${nodes[*]}")"
}

# Starts one under this name, on this port, with these further settings.
redis_server() {
    local name=$1 port=$2 log="$folder/$1.log"
    mkdir "$folder/$name"
    start "$log" redis-server --bind 127.0.0.1 --port "$port" --dir "$folder/$name" \
        --save '' --appendonly yes --appendfsync no --auto-aof-rewrite-percentage 0 "${@:3}"
    wait_for "$log" redis_answers "$port" PONG PING
}

# Whether the server on this port gives this answer to a command.
redis_answers() {
    local port=$1 answer=$2
    [[ $(redis-cli -p "$port" "${@:3}" 2>&1) == *"$answer"* ]]
}

# The command line that the migrations are made for. Built once: it takes minutes.
provide_diesel_cli() {
    local root=${CARGO_TARGET_DIR:-target}/diesel_cli
    logged "$folder/diesel_cli.log" cargo install --quiet --locked --root "$root" diesel_cli \
        --version 2.3.14 --no-default-features --features sqlite-bundled,mysql,postgres
    echo "TEST_DIESEL_CLI=$(realpath "$root/bin/diesel")"
}

# The application as it is in production, whose costs are measured.
provide_release() {
    logged "$folder/release.log" cargo build --quiet --locked --release -p app
    echo "TEST_RELEASE=$(realpath "${CARGO_TARGET_DIR:-target}/release/rocket_diesel_session")"
}

# The packages of the Express application, in its folder.
provide_express() {
    local express=$PWD/examples/moving_from_express/express
    node_modules "$express"
    echo "TEST_EXPRESS=$express"
}

# The packages of the provider at which an example signs in, in its folder.
provide_openid_provider() {
    local provider=$PWD/examples/openid_connect/provider
    node_modules "$provider"
    echo "TEST_OPENID_PROVIDER=$provider"
}

# The library that audits pages in the browser.
provide_axe() {
    node_modules "$PWD/app/tests/browser/axe"
    echo "TEST_AXE=$PWD/app/tests/browser/axe/node_modules/axe-core"
}

# Installs the packages that a folder locks, unless they are there.
node_modules() {
    has_node || fail "the tests need npm and Node 18.19 or later in PATH"
    [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]] ||
        logged "$folder/npm.log" npm ci --no-audit --no-fund --prefix "$1"
}

# Known by its hashes, in a folder that goes with the servers.
provide_schemathesis() {
    local root=$folder/schemathesis requirements=app/tests/http/api/schemathesis/requirements.txt
    logged "$folder/pip.log" python3 -m venv "$root"
    logged "$folder/pip.log" "$root/bin/pip" install --quiet --disable-pip-version-check \
        --require-hashes --requirement "$requirements"
    echo "TEST_SCHEMATHESIS=$root/bin/schemathesis"
}

# The data is thrown away, so nothing has to be shut down gracefully; KILL also ends a MariaDB
# that a test left stopped.
stop() {
    local processes postmaster
    # QUIT has PostgreSQL end its own processes, too.
    for postmaster in "$folder/"*/data/postmaster.pid; do
        [[ ! -e $postmaster ]] || kill -QUIT "$(head -n 1 "$postmaster")" 2>/dev/null || true
        for ((i = 0; i < 50; i++)); do
            [[ -e $postmaster ]] || break
            sleep 0.1
        done
    done
    mapfile -t processes <"$folder/processes"
    ((${#processes[@]} == 0)) || kill -KILL "${processes[@]}" 2>/dev/null || true
}

umask 022
exec 9>"$folder/lock"
flock 9 # several tests may need the same server at once
touch "$folder/"{addresses,processes,provided}
if [[ $1 == stop ]]; then
    stop
    exit
fi
for name; do
    grep -qx "$name" "$folder/provided" && continue
    lines=$("provide_$name")
    echo "$lines" >>"$folder/addresses"
    echo "$name" >>"$folder/provided"
done
