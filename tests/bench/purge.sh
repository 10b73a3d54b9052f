#!/bin/sh
# purge.sh [--tiny|--quick] [BUILD_DIR]: how fast rows of Dataverse are deleted: dwclean beside other clients' ways,
# each against the same sandbox with the same limits. Prints a table; README.md explains it. 1 = a way left rows,
# deleted one twice, or failed. Variables choose what is measured: BENCH_SIZES ("ROWS:SCALE ..."), BENCH_SERVICES
# ("T:S ..."), BENCH_WAYS.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
SOURCE_DIR=$(cd "$here/../.." && pwd)
mode=full
case ${1:-} in
--tiny | --quick)
    mode=${1#--}
    shift
    ;;
esac
build=${1:-$SOURCE_DIR/build/dev}
DWCLEAN=${DWCLEAN:-$build/dwclean}
SANDBOX_BINARY=${SANDBOX_BINARY:-$build/tests/sandbox/dwclean-sandbox}
peers=${PEERS:-$build/tests/bench_peers}
. "$SOURCE_DIR/tests/support/sandbox.sh"

services="0.1:1 0.1:4 0.25:4"
case $mode in
tiny) sizes=200:10 services=0.1:1 ;;
quick) sizes="1000:20 10000:50" services="0.1:1 0.1:4" ;;
full) sizes="1000:5 10000:20 100000:20" ;;
esac
sizes=${BENCH_SIZES:-$sizes}
services=${BENCH_SERVICES:-$services}
ways=${BENCH_WAYS:-"singles-hint singles-50 batch10-hint batch100-hint sql4cds-10 sql4cds-hint dwclean dwclean-fast"}

unset DWCLEAN_CONFIG XDG_STATE_HOME XDG_CONFIG_HOME
export LC_ALL=C NO_COLOR=1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dwclean-bench.XXXXXX")
trap 'stop_sandbox || true; rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
status=0

control() { curl --silent --show-error --fail-with-body --noproxy '*' -X "$1" ${3:+--data "$3"} "$SANDBOX_CONTROL$2"; }

# machine: hundredths of a second that all processors were busy, and that there were, since boot.
machine() { awk '$1 == "cpu" { for (i = 2; i <= 9; i++) all += $i; print all - $5 - $6, all }' /proc/stat; }

seconds_of() { date -u -d "$1" +%s.%3N; }

dwclean() {
    DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET DWCLEAN_TEST_TIME_SCALE=$scale "$DWCLEAN" clean --dataverse-only \
        --class sandbox --runs-dir "$scratch/runs" --volatile-runs-dir --dataverse-url "$SANDBOX_DATAVERSE_URL" \
        --tenant-id "$SANDBOX_TENANT" --client-id "$SANDBOX_CLIENT_ID" --allow-host localhost --cacert "$SANDBOX_CA" \
        "$@" </dev/null >"$scratch/out" 2>"$scratch/err"
}

# run_dwclean [--fast]: sets `took` (the delete phase as its journal has it, on the service's clock) and `beside` (all
# the rest of the run, on the wall's: sign-in, plan, backup, reading it back, the last look).
run_dwclean() {
    rm -rf "$scratch/runs"
    dwclean --dry-run --format json "$@" || return 1
    id=$(sed -n 's/.*"plan_id": *"\([0-9a-f]*\)".*/\1/p' "$scratch/out" | head -n 1)
    control PATCH /dataverse/settings "$limits" >/dev/null
    control DELETE /log >/dev/null
    start=$(date +%s.%3N)
    dwclean --maps-are-stopped --reason measurement --yes --plan-id "$id" "$@" || return 1
    end=$(date +%s.%3N)
    journal=$(echo "$scratch"/runs/*/journal.ndjson)
    first=$(seconds_of "$(sed -n 's/.*"utc":"\([^"]*\)","step":"purge-intent".*/\1/p' "$journal" | head -n 1)")
    last=$(seconds_of "$(sed -n 's/.*"utc":"\([^"]*\)","step":"purge-outcome".*/\1/p' "$journal" | tail -n 1)")
    took=$(echo "$first $last $scale" | awk '{ printf "%.2f", ($2 - $1) * $3 }')
    beside=$(echo "$start $end $first $last" | awk '{ printf "%.1f", $2 - $1 - ($4 - $3) }')
}

run_peer() {
    beside=-
    "$peers" "$1" "$scale" "$limits" >"$scratch/out" 2>"$scratch/err" || return 1
    took=$(sed -n 's/.* seconds=\([0-9.]*\) .*/\1/p' "$scratch/out")
}

# in_log TEXT: how often
in_log() { grep -c -- "$1" "$scratch/log" || true; }

# measure WAY: one line of the table. What was deleted is counted by the sandbox, for all ways alike.
measure() {
    control POST /reset >/dev/null
    control DELETE /log >/dev/null
    control PATCH /dataverse/settings "{\"throttling\":false,\"servers\":$S,\"dop_hint\":$((4 * S))}" >/dev/null
    before=$(machine)
    failed=
    case $1 in
    dwclean) run_dwclean || failed=yes ;;
    dwclean-fast) run_dwclean --fast || failed=yes ;;
    *) run_peer "$1" || failed=yes ;;
    esac
    after=$(machine)
    control GET /log >"$scratch/log"
    left=$(control GET /dataverse/rows | tr '{' '\n' | grep -c '"id"' || true)
    deleted=$(grep '"method":"DELETE"' "$scratch/log" | grep -c '"status":"204"' || true)
    twice=$(grep '"method":"DELETE"' "$scratch/log" | grep -c '"status":"404"' || true)
    if [ -n "$failed" ] || [ "$left" != 0 ] || [ "$deleted" != "$rows" ] || [ "$twice" != 0 ]; then
        echo "$1: FAILED: $deleted of $rows rows deleted, $twice asked for again, $left left"
        cat "$scratch/err"
        status=1
        return 0
    fi
    busy=$(echo "$before $after" | awk '{ printf "%.0f", 100 * ($3 - $1) / ($4 - $2) }')
    echo "$1 $took $rows $T $S $(in_log '"status":"429"') $(in_log '"blocked":"yes"') $beside $busy" | awk '{
        limit = $5 * 1200 / ($4 + 0.02 / 100) / 300
        printf "%-14s %9.1f %8.1f %6.2f %6d %8d %8s %5d %%\n", $1, $2, $3 / $2, $3 / $2 / limit, $6, $7, $8, $9 }'
}

# What nobody can beat: 48 at once, batches of 100, the allowance of each window used up at once.
ceiling() {
    echo "$rows $T $S" | awk '{
        row = $2 + 0.02 / 100; A = $3 * 1200 / row; n = int($1 / A)
        burst = 48 * 100 / (100 * $2 + 0.02 + 0.04)
        printf "%-14s %9.1f %8.1f        (a window allows %d rows, %.0f rows/s while it lasts, %.1f for long)\n",
            "formula", n * 300 + ($1 - n * A) / burst, $1 / (n * 300 + ($1 - n * A) / burst), A, burst, A / 300 }'
}

echo "Seconds on the service's clock. Load of this machine before: $(cut -d ' ' -f 1-3 /proc/loadavg)"
for size in $sizes; do
    rows=${size%:*} scale=${size#*:}
    start_sandbox "$scratch/sandbox-$rows-$scale" large --rows "$rows" --time-scale "$scale" --without-tds
    export SANDBOX_CONTROL SANDBOX_CA SANDBOX_DATAVERSE_URL SANDBOX_AUTHORITY SANDBOX_TENANT SANDBOX_CLIENT_ID SANDBOX_CLIENT_SECRET
    for service in $services; do
        T=${service%:*} S=${service#*:}
        limits="{\"throttling\":true,\"scaled_waits\":true,\"row_seconds\":$T}"
        printf '\n%s rows, t = %s s, S = %s, hint %s, clock x %s\n' "$rows" "$T" "$S" "$((4 * S))" "$scale"
        printf '%-14s %9s %8s %6s %6s %8s %8s %7s\n' way seconds rows/s of-max 429s blocked beside-s machine
        ceiling
        for way in $ways; do
            measure "$way"
        done
    done
    stop_sandbox || status=1
done
exit "$status"
