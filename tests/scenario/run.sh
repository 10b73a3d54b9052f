#!/bin/sh
# run.sh [BUILD [option of sweep.mjs...]]: the whole sweep with 10 000 rows a case. BUILD: a folder that is built;
# build/ci without it.
set -eu
SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${1:-$SOURCE_DIR/build/ci}
[ $# -eq 0 ] || shift
BUILD=$(cd "$BUILD" && pwd)
DWCLEAN=$BUILD/dwclean
SANDBOX_BINARY=$BUILD/tests/sandbox/dwclean-sandbox
CLIENT_CLOCK=$BUILD/tests/client_clock.so
for file in "$DWCLEAN" "$SANDBOX_BINARY" "$CLIENT_CLOCK"; do
    [ -f "$file" ] || {
        echo "$file is missing: build first (cmake --preset ci && cmake --build --preset ci)" >&2
        exit 1
    }
done
export SOURCE_DIR DWCLEAN SANDBOX_BINARY CLIENT_CLOCK
# the last of two --rows would not count: ours only where none is given
case " $* " in
*" --rows "*) ;;
*) set -- --rows 10000 "$@" ;;
esac
exec node "$SOURCE_DIR/tests/scenario/sweep.mjs" --dataverse "$@"
