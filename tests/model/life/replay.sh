#!/bin/sh
# Journals of the program against the orders that the model allows: sh tests/model/life/replay.sh [--all]. Needs DWCLEAN,
# SANDBOX_BINARY, FAULT_LIBRARY and SOURCE_DIR (a build's), and LIFE_WORK, a directory of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${DWCLEAN:?}" "${SANDBOX_BINARY:?}" "${FAULT_LIBRARY:?}" "${LIFE_WORK:?}"
SOURCE_DIR=${SOURCE_DIR:-$(cd "$here/../../.." && pwd)}
command -v spin >/dev/null || { echo "spin is missing: apt-get install spin" >&2; exit 1; }
rm -rf "$LIFE_WORK"
mkdir -p "$LIFE_WORK/pan"
cd "$LIFE_WORK/pan"
cp "$here/life.pml" .
# bounds of the largest case; each case gives its own below them
spin -a -DREPLAY -DRUNS=3 -DCOMMANDS=6 -DCRASHES=3 -DWRITES=2 -DLOSSES=3 -DROUNDS=3 life.pml >spin.log 2>&1 || { cat spin.log >&2; exit 1; }
gcc -O1 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c
ACCEPTOR=$LIFE_WORK/pan/pan MODEL=$here/life.pml
export DWCLEAN SANDBOX_BINARY FAULT_LIBRARY LIFE_WORK SOURCE_DIR ACCEPTOR MODEL
exec node "$here/replay.mjs" "$@"
