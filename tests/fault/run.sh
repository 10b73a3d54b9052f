#!/bin/sh
# The fault sweeps: sh tests/fault/run.sh [--quick | --part N] [--seed N] [--jobs N] [--only SUITE [--point KIND:N:HOW]].
# Exits 0 only with zero violations. Builds what it needs in build/fault unless DWCLEAN, SANDBOX_BINARY and
# FAULT_LIBRARY name them.
set -eu
SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
FAULT_WORK=${FAULT_WORK:-$SOURCE_DIR/build/fault/work}
if [ -z "${DWCLEAN:-}" ] || [ -z "${SANDBOX_BINARY:-}" ] || [ -z "${FAULT_LIBRARY:-}" ] ||
    [ -z "${CLIENT_CLOCK:-}" ]; then
    build=$SOURCE_DIR/build/fault
    mkdir -p "$build"
    { cmake -S "$SOURCE_DIR" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug &&
        ninja -C "$build" dwclean dwclean-sandbox fault_interpose client_clock; } >"$build/build.log" 2>&1 </dev/null || {
        tail -n 30 "$build/build.log" >&2
        exit 1
    }
    DWCLEAN=$build/dwclean SANDBOX_BINARY=$build/tests/sandbox/dwclean-sandbox
    FAULT_LIBRARY=$build/tests/libfault_interpose.so CLIENT_CLOCK=$build/tests/client_clock.so
fi
export SOURCE_DIR FAULT_WORK DWCLEAN SANDBOX_BINARY FAULT_LIBRARY CLIENT_CLOCK
exec node "$SOURCE_DIR/tests/fault/sweep.mjs" "$@"
