#!/usr/bin/env bash
# Runs every test on every database: SQLite, MariaDB, PostgreSQL, Redis, and with
# the browser, the Diesel CLI and Express.
#
#   ./test.sh                        all of them
#   ./test.sh contract               those whose name contains "contract", with the
#                                    servers that they need and no others
#   ./test.sh --test NAME -- --exact whatever `cargo test` and its runner accept
#   ./test.sh cluster                disturb databases and applications while clients work,
#                                    and count what went wrong; see bench/README.md
#   ./test.sh servers                start the servers and leave them running, for
#                                    cargo test --all-features NAME -- --include-ignored
#   ./test.sh stop                   stop those
#   ./test.sh --install-only         install the needed Debian packages, test nothing
#
# The servers are private to one run: on free ports of 127.0.0.1, with their data
# in a temporary folder (in TMPDIR), stopped and removed at the end.
# Screenshots go to the folder TEST_ARTEFACTS, which is printed at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. testing/packages.sh

everything=(mariadb postgresql redis redis_cluster diesel_cli express openid_provider axe schemathesis)
more=(galera second_mariadb second_postgresql release)
running=.servers # names the folder of the servers that are left running

new_folder() {
    work=$(mktemp -d -t rds.XXXXXX)
    chmod 711 "$work" # lets the user postgres through
}

remove_folder() {
    testing/provide.sh "$work" stop
    # A killed process may still have been writing.
    rm -rf "$work" 2>/dev/null || { sleep 1 && rm -rf "$work"; }
}

leave_servers_running() {
    [[ ! -e $running ]] || fail "servers are running already; ./test.sh stop ends them"
    new_folder
    trap remove_folder EXIT
    testing/provide.sh "$work" "${everything[@]}"
    trap - EXIT
    ln -sfn "$work" "$running"
    cat "$work/addresses"
}

stop_servers() {
    [[ -e $running ]] || fail "no servers are running"
    work=$(realpath "$running")
    remove_folder
    rm "$running"
}

clean_up() {
    local status=$?
    trap '' INT TERM HUP
    # The tests' whole process group: the browser and its driver too.
    [[ -z $tests ]] || kill -KILL -- "-$tests" 2>/dev/null || true
    wait 2>/dev/null || true
    remove_folder
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
    # Some tests run examples, which `--test` does not build.
    [[ " ${cargo_arguments[*]} " != *" --test "* ]] ||
        cargo build --quiet --workspace --all-features --examples
    set -m
    cargo test --workspace --all-features --no-fail-fast "${cargo_arguments[@]}" \
        -- --include-ignored "${@:2}" </dev/null &
    tests=$!
    set +m
    wait "$tests" || status=$?
    echo "Screenshots: $TEST_ARTEFACTS"
    return "$status"
}

# Disturbs databases and applications of its own; the first argument is the build.
disturb() {
    PYTHONDONTWRITEBYTECODE=1 python3 bench/faults.py \
        --program "$(realpath "${CARGO_TARGET_DIR:-target}/$1/examples/busy")" "${@:2}"
}

# Fails if a token or a password is in a file that the servers or the applications
# wrote. The tests note the ones that they get and send.
find_secrets() {
    local found status=0
    sort -u -o "$TEST_SECRETS" "$TEST_SECRETS"
    found=$(LC_ALL=C grep -raoFf "$TEST_SECRETS" --exclude="${TEST_SECRETS##*/}" "$work" |
        sort | uniq -c) || status=$?
    echo "Secrets looked for: $(wc -l <"$TEST_SECRETS"), in files:" \
        "$(find "$work" -type f | wc -l), found: ${found:-none}"
    ((status == 1))
}

case ${1:-} in
stop) stop_servers; exit ;;
esac
install_packages
case ${1:-} in
--install-only) exit ;;
servers) leave_servers_running; exit ;;
cluster)
    cargo build --quiet --release --all-features --example busy
    disturb release "${@:2}"
    exit
    ;;
esac

TEST_ARTEFACTS=$(realpath -m "${TEST_ARTEFACTS:-${TMPDIR:-/tmp}/rocket_diesel_session-artefacts}")
export TEST_ARTEFACTS
mkdir -p "$TEST_ARTEFACTS"

tests=''
new_folder
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
export TMPDIR="$work" # what an interrupted test leaves behind is removed too
export TEST_SERVERS="$work" TEST_SECRETS="$work/secrets"
: >"$TEST_SECRETS"
# For all tests, before they begin; for some, each test asks for what it needs.
(($#)) || testing/provide.sh "$work" "${everything[@]}" "${more[@]}"
status=0
run_tests "$@" || status=$?
(($#)) || disturb debug --short || status=$?
[[ -s $TEST_SECRETS || $# -gt 0 ]] || fail "the tests have noted no secret"
find_secrets || fail "what is secret was left behind: see above"
exit "$status"
