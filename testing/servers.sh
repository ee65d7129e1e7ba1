# The database servers for ./test.sh, which reads this file: each start_… exports
# where its server is to be found. Their data goes to $work, and so does each of
# their statements, since what a test has deleted is searched for secrets too.

servers=()  # processes, to be killed in the end
postgres=() # the command that stops PostgreSQL

# Below the range from which the kernel hands out ports by itself.
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); do
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

start_mariadb() {
    local home="$work/mariadb" log="$work/mariadb.log" port user
    port=$(free_port)
    user=$(id -un)
    logged "$log" mariadb-install-db --no-defaults --user="$user" --datadir="$home" \
        --auth-root-authentication-method=normal --skip-test-db
    mariadbd --no-defaults --user="$user" --datadir="$home" --socket="$work/mariadb.sock" \
        --port="$port" --bind-address=127.0.0.1 --skip-name-resolve --max-connections=300 \
        --performance-schema=OFF --general-log --general-log-file="$work/mariadb-statements.log" \
        >>"$log" 2>&1 </dev/null &
    local mariadb=$!
    servers+=("$mariadb")

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
        -c listen_addresses=127.0.0.1 -c unix_socket_directories='$home' -c max_connections=200 \
        -c log_statement=all"
    logged "$log" "$bin/createdb" -h 127.0.0.1 -p "$port" -U session session
    export TEST_POSTGRES_URL="postgres://session@127.0.0.1:$port/session"
}

# The URL's number of a database, such as /7, is up to each test.
start_redis() {
    local port
    port=$(free_port)
    redis_server redis "$port" --databases 4096
    export TEST_REDIS_URL="redis://127.0.0.1:$port"
    export TEST_REDIS_PID=${servers[-1]} # a test stops and continues the server
}

start_redis_cluster() {
    local log="$work/cluster.log" nodes=() number port
    for number in 1 2 3; do
        port=$(free_port)
        redis_server "node-$number" "$port" --cluster-enabled yes --cluster-port "$(free_port)"
        nodes+=("127.0.0.1:$port")
    done
    logged "$log" redis-cli --cluster create "${nodes[@]}" --cluster-yes
    for port in "${nodes[@]#*:}"; do
        redis_answers "$log" "$port" cluster_state:ok CLUSTER INFO
    done
    TEST_REDIS_CLUSTER_URL="redis-cluster://$(IFS=,; echo "${nodes[*]}")"
    TEST_REDIS_CLUSTER_PIDS="${servers[*]: -3}"
    export TEST_REDIS_CLUSTER_URL TEST_REDIS_CLUSTER_PIDS
}

# Starts one under this name, on this port, with these further settings.
redis_server() {
    local name=$1 port=$2 log="$work/$1.log"
    mkdir "$work/$name"
    redis-server --bind 127.0.0.1 --port "$port" --dir "$work/$name" --save '' --appendonly yes \
        --appendfsync no --auto-aof-rewrite-percentage 0 "${@:3}" >>"$log" 2>&1 </dev/null &
    servers+=($!)
    redis_answers "$log" "$port" PONG PING
}

# Waits until the server on this port gives this answer to a command.
redis_answers() {
    local log=$1 port=$2 answer=$3
    for ((i = 0; i < 150; i++)); do
        [[ $(redis-cli -p "$port" "${@:4}" 2>&1) == *"$answer"* ]] && return
        sleep 0.2
    done
    cat "$log" >&2
    fail "Redis on port $port does not answer $answer"
}
