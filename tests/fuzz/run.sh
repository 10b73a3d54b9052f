#!/bin/sh
# Looks for inputs that break dwclean or the sandbox: sh tests/fuzz/run.sh [--seconds N] [--only NAME,...] [--jobs N] [--minimise].
# Builds with clang, libFuzzer, ASan and UBSan in build/fuzz; N seconds a target (60). Exits 0 only without a finding.
# --minimise: afterwards, those of the inputs made that reach more code than corpus/NAME does are put into it.
set -u
SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
seconds=60 only='' jobs=1 minimise=''
usage() {
    echo "usage: sh tests/fuzz/run.sh [--seconds N] [--only NAME,...] [--jobs N] [--minimise]" >&2
    exit 64
}
while [ $# -gt 0 ]; do
    case $1 in
    --seconds | --only | --jobs) [ $# -ge 2 ] || usage ;;
    esac
    case $1 in
    --seconds) seconds=$2 && shift 2 ;;
    --only) only=$2 && shift 2 ;;
    --jobs) jobs=$2 && shift 2 ;;
    --minimise) minimise=yes && shift ;;
    *) usage ;;
    esac
done
case $seconds$jobs in *[!0-9]*) usage ;; esac

build=$SOURCE_DIR/build/fuzz work=$SOURCE_DIR/build/fuzz/work
mkdir -p "$work"
PACKAGES_LOG=$build/packages.log
. "$SOURCE_DIR/tests/support/packages.sh"
need_packages build test fuzz || exit 1
{ CC=clang cmake -S "$SOURCE_DIR" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDWCLEAN_FUZZ=ON \
    -DDWCLEAN_SANITIZE=address,undefined,fuzzer-no-link -DCMAKE_C_FLAGS=-fno-sanitize-recover=all &&
    ninja -C "$build" fuzz_programs; } >"$build/build.log" 2>&1 </dev/null || {
    tail -n 30 "$build/build.log" >&2
    exit 1
}

targets=$(cd "$SOURCE_DIR/tests/fuzz" && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
if [ -n "$only" ]; then
    only=$(printf '%s' "$only" | tr , ' ')
    for name in $only; do
        printf '%s\n' $targets | grep -qx "$name" || { echo "there is no target $name" >&2; exit 64; }
    done
    targets=$only
fi

# fuzz NAME: one target; what it finds lies in work/NAME.finding-*.
fuzz() {
    corpus=$SOURCE_DIR/tests/fuzz/corpus/$1 dictionary=$SOURCE_DIR/tests/fuzz/dictionaries/$1.dict
    mkdir -p "$work/$1"
    [ -f "$dictionary" ] && dictionary=-dict=$dictionary || dictionary=
    "$build/tests/fuzz/fuzz_$1" $dictionary -artifact_prefix="$work/$1.finding-" -max_total_time="$seconds" \
        -timeout=25 -max_len=8192 -rss_limit_mb=2048 -print_final_stats=1 "$work/$1" "$corpus" >"$work/$1.log" 2>&1 </dev/null
    echo $? >"$work/$1.status"
    [ -z "$minimise" ] || "$build/tests/fuzz/fuzz_$1" -merge=1 -use_counters=0 -max_len=600 "$corpus" "$work/$1" >>"$work/$1.log" 2>&1 </dev/null
}

rm -f "$work"/*.finding-* "$work"/*.status
running=0
for target in $targets; do
    fuzz "$target" &
    running=$((running + 1))
    if [ "$running" -ge "$jobs" ]; then
        wait
        running=0
    fi
done
wait

findings=0
printf '%-20s %14s %10s %8s %9s\n' target executions exec/s corpus findings
for target in $targets; do
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log" | head -n 1)
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$work/$target.log" | head -n 1)
    found=$(find "$work" -maxdepth 1 -name "$target.finding-*" ! -name '*slow-unit-*' | wc -l)
    [ "$found" -gt 0 ] || [ "$(cat "$work/$target.status")" = 0 ] || found=1
    findings=$((findings + found))
    printf '%-20s %14s %10s %8s %9s\n' "$target" "${executed:--}" "${rate:--}" \
        "$(find "$SOURCE_DIR/tests/fuzz/corpus/$target" "$work/$target" -type f | wc -l)" "$found"
    [ "$found" = 0 ] || grep -am 3 'does not hold\|ERROR:\|runtime error' "$work/$target.log"
done
printf '%s findings in %s targets, %s s each\n' "$findings" "$(printf '%s\n' $targets | wc -l)" "$seconds"
[ "$findings" = 0 ]
