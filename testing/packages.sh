# The Debian packages that the tests need, for the scripts that read this file.

PATH="$PATH:/usr/sbin:/sbin" # mariadbd, nginx and runuser; not in every user's PATH

fail() {
    echo "${0##*/}: $1" >&2
    exit 1
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
    type -P pgbouncer >/dev/null || echo pgbouncer
    type -P chromium >/dev/null || echo chromium
    type -P chromedriver >/dev/null || echo chromium-driver
    type -P redis-server >/dev/null || echo redis-server
    type -P redis-cli >/dev/null || echo redis-tools
    type -P nginx >/dev/null || echo nginx-light
    type -P haproxy >/dev/null || echo haproxy
    type -P prometheus >/dev/null || echo prometheus
    [[ -n $(compgen -G "/usr/lib*/galera/libgalera_smm.so") ]] || echo galera-4
    type -P rsync >/dev/null || echo rsync
    type -P ip >/dev/null || echo iproute2
    type -P openssl >/dev/null || echo openssl
    type -P faketime >/dev/null || echo faketime
    type -P sqlite3 >/dev/null || echo sqlite3
    type -P curl >/dev/null || echo curl
    python3 -c 'import requests' 2>/dev/null || echo python3-requests
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    type -P systemd-analyze >/dev/null || echo systemd
    has_node || printf '%s\n' nodejs npm
}

# Installs those that a function prints.
install_packages() {
    local packages as_root=()
    mapfile -t packages < <("${1:-missing_packages}")
    ((${#packages[@]})) || return 0
    type -P apt-get >/dev/null || fail "no apt-get here; please install: ${packages[*]}"
    if ((EUID)); then
        type -P sudo >/dev/null || fail "neither root nor sudo; please install: ${packages[*]}"
        as_root=(sudo)
    fi
    echo "Installing what this machine lacks (takes minutes): ${packages[*]}"
    "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        install -y --no-install-recommends "${packages[@]}"
}
