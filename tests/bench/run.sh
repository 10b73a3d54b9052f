#!/bin/sh
# run.sh [--quick] [ROW...]: how fast dwclean is, beside other programs and its own limits; prints one table. 0 = every floor is met.
# Builds build/bench (optimised, as a release is). README.md explains the table. BENCH_BUILD names another folder that is built already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
SOURCE_DIR=$(cd "$here/../.." && pwd)
quick=
[ "${1:-}" != --quick ] || {
    quick=--quick
    shift
}
build=${BENCH_BUILD:-}
if [ -z "$build" ]; then
    build=$SOURCE_DIR/build/bench
    . "$SOURCE_DIR/tests/support/packages.sh"
    PACKAGES_LOG=${TMPDIR:-/tmp}/dwclean-packages.log
    need_packages build test
    cd "$SOURCE_DIR"
    cmake --preset release -B "$build" -DDWCLEAN_BUILD_TESTS=ON >"$build.log" 2>&1 &&
        ninja -C "$build" dwclean dwclean-sandbox bench_peers bench_measure bench_empty bench_empty_loads bench_dbdata >>"$build.log" 2>&1 || {
        tail -n 20 "$build.log" >&2
        exit 1
    }
fi
unset DWCLEAN_CONFIG XDG_STATE_HOME XDG_CONFIG_HOME TDSVER TDSPORT TDSHOST TDSDUMP TDSDUMPCONFIG TDSQUERY DSQUERY FREETDS SYBASE
exec node "$here/run.mjs" $quick "$build" "$@"
