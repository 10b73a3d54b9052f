#!/bin/sh
# Memory, descriptors, leaks: sh tests/memory/run.sh [--quick] [--only PART]. Exits 0 only when every limit holds.
# Builds what it needs in build/memory unless DWCLEAN, SANDBOX_BINARY and MEMORY_ROUNDS name them.
set -eu
SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
MEMORY_WORK=${MEMORY_WORK:-$SOURCE_DIR/build/memory/work}
if [ -z "${DWCLEAN:-}" ] || [ -z "${SANDBOX_BINARY:-}" ] || [ -z "${MEMORY_ROUNDS:-}" ]; then
    build=$SOURCE_DIR/build/memory
    mkdir -p "$build"
    { cmake -S "$SOURCE_DIR" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo &&
        ninja -C "$build" dwclean dwclean-sandbox memory_rounds; } >"$build/build.log" 2>&1 </dev/null || {
        tail -n 30 "$build/build.log" >&2
        exit 1
    }
    DWCLEAN=$build/dwclean SANDBOX_BINARY=$build/tests/sandbox/dwclean-sandbox MEMORY_ROUNDS=$build/tests/memory_rounds
fi
export SOURCE_DIR MEMORY_WORK DWCLEAN SANDBOX_BINARY MEMORY_ROUNDS
exec node "$SOURCE_DIR/tests/memory/memory.mjs" "$@"
