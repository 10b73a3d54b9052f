#!/bin/sh
# The demo, stopped by Ctrl-C while its sandbox runs: it ends with 130 and leaves no process behind.
# Runs after the demo, on its build.
set -eu
SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
work=$SOURCE_DIR/build/demo
out=$SOURCE_DIR/build/demo-interrupted.log
rm -rf "$work/sandbox"

# setsid gives it a process group of its own, as a terminal would; -w hands its status on. A shell starts
# background commands with SIGINT ignored: env gives the default back.
env --default-signal=INT setsid -w sh "$SOURCE_DIR/fixtures/demo.sh" >"$out" 2>&1 </dev/null &
waiter=$!
tries=0
until [ -f "$work/sandbox/env" ]; do
    tries=$((tries + 1))
    if [ "$tries" -ge 600 ] || ! kill -0 "$waiter" 2>/dev/null; then
        cat "$out"
        echo "the demo did not come to its sandbox"
        exit 1
    fi
    sleep 0.02
done
. "$work/sandbox/env"
group=$(ps -o pgid= -p "$SANDBOX_PID" | tr -d ' ')
[ -n "$group" ] || { cat "$out"; echo "the sandbox ended before it could be interrupted"; exit 1; }
env kill -INT -- "-$group" # the kill of dash knows no process groups
status=0
wait "$waiter" || status=$?
[ "$status" = 130 ] || { cat "$out"; echo "the demo ended with $status instead of 130"; exit 1; }
tries=0
while kill -0 "$SANDBOX_PID" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || { echo "the sandbox is still there"; exit 1; }
    sleep 0.1
done
# what has ended and only waits for init to notice is not running
left=$(ps -eo pgid=,pid=,stat=,args= | awk -v group="$group" '$1 == group && $3 !~ /^Z/')
[ -z "$left" ] || { echo "still running: $left"; exit 1; }
echo "interrupted: status 130, no process left"
