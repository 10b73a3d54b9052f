#!/bin/sh
# The model of a run, every state of it: sh tests/model/life/life.sh [--quick|--large]. Prints what was searched and which of
# the planted faults were found; exits 0 only if all promises hold and every fault is found. --quick plants a few of them
# only, --large searches larger worlds too. LIFE_WORK keeps the files.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
large='' quick=''
case ${1:-} in
'') ;;
--large) large=yes ;;
--quick) quick=yes ;;
*) echo "usage: life.sh [--quick|--large]" >&2; exit 64 ;;
esac
command -v spin >/dev/null || { echo "spin is missing: apt-get install spin" >&2; exit 1; }
if [ -n "${LIFE_WORK:-}" ]; then
    mkdir -p "$LIFE_WORK"
    work=$(cd "$LIFE_WORK" && pwd)
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
cp "$here/life.pml" "$work"
failed=0
states_in_all=0
began=$(date +%s)

# build NAME LEVEL SWITCHES...: a verifier of its own.
build() {
    name=$1 level=$2
    shift 2
    rm -rf "${work:?}/$name"
    mkdir "$work/$name"
    (
        cd "$work/$name"
        cp ../life.pml .
        kind=-DSAFETY
        case " $* " in *" -DENDS "*) kind=-DNFAIR=3 ;; esac
        spin -a "$@" life.pml >spin.log 2>&1 && gcc "${level:--O0}" -w -DCOLLAPSE -DVECTORSZ=2048 $kind -o pan pan.c
    ) || { cat "$work/$name/spin.log" >&2; return 1; }
}

value() { sed -n "s/^[[:space:]]*\([0-9.e+]*\)[[:space:]]$1.*/\1/p" "$2" | head -n 1; }

# holds WHAT SWITCHES...: all states, and no promise is broken.
holds() {
    what=$1
    shift
    name=$(printf '%s' "$*" | tr -c 'A-Za-z0-9\n' _)
    options=-m500000
    case " $* " in *" -DENDS "*) options="$options -a -f" ;; esac
    # a small world is searched in less time than an optimiser takes
    build "$name" "${large:+-O1}" "$@" || { failed=1; return; }
    out=$work/$name/out
    from=$(date +%s)
    (cd "$work/$name" && ./pan $options >out 2>&1) || :
    took=$(($(date +%s) - from))
    word=holds
    if ! grep -q 'errors: 0' "$out" || grep -q 'Search not completed\|max search depth too small' "$out"; then
        word=BROKEN
        failed=1
    fi
    states=$(value 'states, stored' "$out")
    printf '%-46s %10s %11s %7s MB %4s s  %s\n' "$what" "$states" "$(value transitions "$out")" \
        "$(value 'total actual memory' "$out")" "$took" "$word"
    states_in_all=$((states_in_all + ${states:-0}))
    [ "$word" = holds ] || tell "$work/$name" "$@"
}

# tell DIRECTORY SWITCHES...: what was broken, and the records up to there.
tell() {
    (
        cd "$1"
        shift
        grep '^pan:1' out || tail -n 5 out
        [ ! -f life.pml.trail ] || spin -k life.pml.trail -t "$@" life.pml | grep -E '^ *(record|crash|a write)' | sed 's/^ */    /' | head -n 80
    )
}

planted=0
found=0
# finds FAULT WHAT SWITCHES...: the model with a fault breaks a promise, and there is a trail to it.
finds() {
    fault=$1 what=$2
    shift 2
    planted=$((planted + 1))
    build "$fault" -O0 "-D$fault" "$@" || { failed=1; return; }
    options=-m500000
    case " $* " in *" -DENDS "*) options="$options -a -f" ;; esac
    (cd "$work/$fault" && ./pan -w20 $options >out 2>&1) || :
    if grep -q 'errors: 1' "$work/$fault/out" && [ -s "$work/$fault/life.pml.trail" ]; then
        found=$((found + 1))
        printf '  %-46s found in %s steps\n' "$what" "$(wc -l <"$work/$fault/life.pml.trail")"
    else
        printf '  %-46s NOT FOUND in %s states\n' "$what" "$(value 'states, stored' "$work/$fault/out")"
        failed=1
    fi
}

one="-DRUNS=2 -DCOMMANDS=2 -DCRASHES=1"
# on the second core
plant_all() {
    small="-DRUNS=1 -DCOMMANDS=2 -DCRASHES=1"
    two="-DRUNS=2 -DCOMMANDS=3 -DCRASHES=1 -DWRITES=0 -DLOSSES=0"
    finds F_DELETE_BEFORE_SEAL "rows go before the backup is sealed" $small -DWRITES=0 -DLOSSES=0
    finds F_SETTLES_BY_A_PLAIN_READ "a COMMIT is settled by a plain read" $small -DWRITES=0 -DLOSSES=0
    finds F_CHANGED_ROWS_GO_TOO "rows with other contents go after a 412" $small -DWRITES=1 -DLOSSES=0
    finds F_TOLD_TOO_EARLY "a row is on record as gone before it went" -DENDS $small -DWRITES=0 -DLOSSES=0
    finds F_NO_TARGET_LOCK "no lock file" -DOPERATORS=2 $one -DWRITES=0 -DLOSSES=0
    [ -n "$quick" ] || plant_more
    echo "found $found of $planted faults"
    [ "$failed" = 0 ]
}

plant_more() {
    finds F_NOT_COMPARED "no comparison under the locks" $small -DWRITES=1 -DLOSSES=0
    finds F_COMMIT_NOT_ANNOUNCED "COMMIT is sent before it is on record" $small -DWRITES=0 -DLOSSES=0
    finds F_COMMITTED_TOO_EARLY "committed is on record before COMMIT" $small -DWRITES=0 -DLOSSES=1
    finds F_TRUSTS_THE_JOURNAL "resume trusts the journal: no locked look" $small -DWRITES=0 -DLOSSES=0
    finds F_REMOVAL_NOT_LOOKED_AT "resume purges what an undo brought back" $two
    finds F_NO_VERSION_SENT "rows of Dataverse go whatever their version" $small -DWRITES=1 -DLOSSES=0
    finds F_NOT_SEALED_AGAIN "stamped rows go without a new backup" $small -DWRITES=1 -DLOSSES=0
    finds F_NOT_LOOKED_AT_AGAIN "done is said without a fresh look" $small -DWRITES=1 -DLOSSES=0
    finds F_UNDO_MIXES "undo into tables that are not empty" -DRUNS=2 -DCOMMANDS=2 -DCRASHES=0 -DWRITES=1 -DLOSSES=0
    finds F_UNDO_NOT_COMPARED "undo without a comparison under the locks" -DRUNS=2 -DCOMMANDS=2 -DCRASHES=0 -DWRITES=1 -DLOSSES=0
    finds F_UNDO_NOT_RECHECKED "undo of a run that went on meanwhile" -DOPERATORS=2 $one -DWRITES=0 -DLOSSES=0
}
plant_all >"$work/faults" 2>&1 &
planting=$!

printf '%-46s %10s %11s %10s %6s\n' "all states of" states transitions memory time
holds "a run, its resumes: 2 crashes, a lost answer" -DRUNS=2 -DCOMMANDS=3 -DCRASHES=2 -DWRITES=0 -DLOSSES=1
holds "a crash, a lost answer, a write from outside" $one -DWRITES=1 -DLOSSES=1
holds "two operators on one machine, a crash" -DOPERATORS=2 $one -DWRITES=0 -DLOSSES=0
holds "two machines, nobody may use sp_getapplock" -DNO_RIGHT -DOPERATORS=2 -DMACHINES=2 $one -DWRITES=0 -DLOSSES=0
holds "each crash leads to an end: 2 crashes" -DENDS -DRUNS=1 -DCOMMANDS=2 -DCRASHES=2 -DWRITES=0 -DLOSSES=1
holds "each crash leads to an end: a write" -DENDS -DRUNS=1 -DCOMMANDS=2 -DCRASHES=1 -DWRITES=1 -DLOSSES=0
if [ -n "$large" ]; then
    holds "three runs, a write" -DRUNS=3 -DCOMMANDS=3 -DCRASHES=1 -DWRITES=1 -DLOSSES=0
    holds "two writes from outside" $one -DWRITES=2 -DLOSSES=1
    holds "two operators, a lost answer" -DOPERATORS=2 $one -DWRITES=0 -DLOSSES=1
    holds "two operators, a write" -DOPERATORS=2 $one -DWRITES=1 -DLOSSES=0
    holds "two operators, three commands and two" -DOPERATORS=2 -DRUNS=2 -DCOMMANDS=3 -DCRASHES=1 -DWRITES=0 -DLOSSES=0
    holds "two machines, a crash" -DOPERATORS=2 -DMACHINES=2 $one -DWRITES=0 -DLOSSES=0
    holds "two machines, a lost answer" -DOPERATORS=2 -DMACHINES=2 $one -DWRITES=0 -DLOSSES=1
    holds "each crash leads to an end: two runs" -DENDS -DRUNS=2 -DCOMMANDS=2 -DCRASHES=1 -DWRITES=0 -DLOSSES=1
fi


wait "$planting" || failed=1
echo "planted faults:"
cat "$work/faults"
echo "$states_in_all states in all, $(($(date +%s) - began)) s"
[ "$failed" = 0 ]
