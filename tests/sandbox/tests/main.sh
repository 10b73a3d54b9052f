#!/bin/sh
# The sandbox as a program: main.sh SANDBOX FIXTURES [OPTION...]. Every seed starts, says where it is, and
# ends cleanly; bad options are refused. Options go to each start, e.g. --without-tds.
set -eu
sandbox=$1
fixtures=$2
shift 2
work=$(mktemp -d)
pid=
trap 'if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; fi; rm -rf "$work"' EXIT

fail()
{
    echo "main.sh: $*" >&2
    exit 1
}

start() # seed dir option...
{
    seed=$1
    dir=$2
    shift 2
    : >"$work/out"
    "$sandbox" --seed "$seed" --dir "$dir" --fixtures "$fixtures" "$@" >"$work/out" 2>"$work/err" &
    pid=$!
    tries=0
    until grep -qx ready "$work/out"; do
        kill -0 "$pid" 2>/dev/null || fail "$seed does not start: $(cat "$work/err")"
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "$seed is not ready in time"
        sleep 0.1
    done
    [ -f "$dir/env" ] || fail "$seed: ready without DIR/env"
}

stop() # signal
{
    kill -"$1" "$pid"
    status=0
    wait "$pid" || status=$?
    pid=
    [ "$status" -eq 0 ] || fail "signal $1: exit $status: $(cat "$work/err")"
    [ ! -s "$work/err" ] || fail "stderr: $(cat "$work/err")"
}

signal=TERM
for file in "$fixtures"/dataverse/*.json; do
    seed=$(basename "$file" .json)
    start "$seed" "$work/it's $seed" --rows 50 "$@"
    (
        # Names with a space and a quote must survive the shell.
        . "$work/it's $seed/env"
        [ "$SANDBOX_PID" = "$pid" ] || fail "SANDBOX_PID is $SANDBOX_PID"
        [ -f "$SANDBOX_CA" ] || fail "no $SANDBOX_CA"
        case $SANDBOX_DATAVERSE_URL in https://localhost:*) ;; *) fail "$SANDBOX_DATAVERSE_URL" ;; esac
    ) || exit 1
    stop $signal
    [ ! -e "$work/it's $seed/env" ] || fail "$seed: DIR/env stays behind"
    case $signal in TERM) signal=INT ;; INT) signal=HUP ;; HUP) signal=TERM ;; esac
done

# Who asks for it is ended with its parent.
sh -c '"$1" --seed small --dir "$2" --fixtures "$3" --without-tds --with-parent >"$2.out" 2>&1 &
       tries=0; until grep -qx ready "$2.out" || [ $tries -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done' \
    sh "$sandbox" "$work/orphan" "$fixtures"
grep -qx ready "$work/orphan.out" || fail "the orphan did not start"
tries=0
while [ -e "$work/orphan/env" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || fail "the orphan lives on"
    sleep 0.1
done

refused() # status option...
{
    wanted=$1
    shift
    status=0
    "$sandbox" "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -eq "$wanted" ] || fail "exit $status instead of $wanted: $*"
    [ -s "$work/err" ] || fail "no reason given: $*"
}

refused 64
refused 64 --seed ../small --dir "$work/x" --fixtures "$fixtures"
refused 64 --seed small --dir "$work/x" --fixtures "$fixtures" --certificate none
refused 64 --seed small --dir "$work/x" --fixtures "$fixtures" --rows -1
refused 64 --seed small --dir "$work/x" --fixtures "$fixtures" --tds-encryption strict
refused 64 --seed small --dir "$work/x" --fixtures "$fixtures" --browser 10.1.2.3
refused 64 --seed small --dir "$work/x" --fixtures "$fixtures" extra
refused 1 --seed nosuchseed --dir "$work/y" --fixtures "$fixtures" --without-tds
refused 1 --seed small --dir "$work/y" --fixtures "$fixtures" --without-tds
refused 1 --seed small --dir "$work/no/such" --fixtures "$fixtures" --without-tds
