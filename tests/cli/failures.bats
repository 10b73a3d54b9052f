#!/usr/bin/env bats
# The failure table of a run, row by row where a run from outside shows it: full disks, signals in every phase, a
# terminal that goes away, two operators. Signals and full disks come at an exact step of the journal, by the library of
# tests/fault (its README has the table: row -> test).

setup_file() {
    load support
    boot scenario-a
    # the dynamic linker takes a blank in the path for the end of it
    preload=$(mktemp -d /tmp/dwclean-preload.XXXXXX)
    cp "$FAULT_LIBRARY" "$preload/fault.so"
    export FAULT_LIBRARY=$preload/fault.so
}

teardown_file() {
    load support
    halt
    rm -r "$(dirname "$FAULT_LIBRARY")"
}

setup() {
    load support
    use_sandbox
    fresh
    [ -f "$FAULT_LIBRARY" ]
    # the library is found before a sanitizer's own, which harms nothing: it calls the kernel itself
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
}

teardown() {
    [ -z "${left_running:-}" ] || kill -KILL "$left_running" 2>/dev/null || true
}

# at STEP ACTION [VARIABLE=VALUE...]: the next clean meets ACTION at the journal record STEP.
at() {
    fault_variables=(FAULT_ROOT="$runs" FAULT_KIND=write FAULT_MATCH="\"step\":\"$1\"" FAULT_AT=1 FAULT_DO="$2" "${@:3}")
}

# faulted PLAN-ID [option...]: a clean of both halves that meets it. It is this shell's own child.
faulted() {
    mapfile -t t < <(axdb_target; dataverse_target)
    # a shell starts background commands with SIGINT ignored: env gives the default back
    exec env --default-signal=INT,HUP,TERM,TSTP LD_PRELOAD="$FAULT_LIBRARY" "${fault_variables[@]}" \
        "$DWCLEAN" clean --class sandbox --runs-dir "$runs" "${t[@]}" --maps-are-stopped --reason test --yes --plan-id "$@" </dev/null 3>&-
}

# met [option...]: the dry run, then the clean that meets it; status, output and stderr as of status_of.
met() {
    id=$(plan_id)
    (faulted "$id" "$@") >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" && status=0 || status=$?
    cat "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
    echo "status $status, rows $(rows_left)"
}

resumed() { both_write resume last --maps-are-stopped --reason test --yes --plan-id "$id"; }
journal_has() { grep -q "\"step\":\"$1\"" "$runs"/2*/journal.ndjson; }
state_of() { sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null; }

# await COMMAND...: until it succeeds, at most 15 s.
await() {
    for _ in $(seq 150); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}
is_stopped() { [ "$(state_of "$1")" = T ]; }

@test "a disk that is full before the change: nothing was changed" {
    for step in plan backup-sealed commit-sent; do
        fresh
        rm -rf "$runs"
        at "$step" ENOSPC FAULT_TIMES=0
        met
        [ "$status" = 13 ]
        says "No space left"
        says journal.ndjson
        [ "$(rows_left)" = "34 34 958 17" ]
    done
}

@test "a disk that is full after COMMIT: no purge is begun, and resume finishes" {
    at committed ENOSPC FAULT_TIMES=0 FAULT_KIND=write,fsync,fdatasync,open,rename,mkdir,ftruncate
    met
    [ "$status" = 3 ]
    grep -q "No space left" "$BATS_TEST_TMPDIR/stderr"
    says "dwclean resume"
    [ "$(rows_left)" = "0 0 0 17" ]
    refute journal_has purge-intent
    status_of resumed
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "a disk that fills up in the purge: the rows in flight end, and resume finishes" {
    at purge-outcome ENOSPC FAULT_TIMES=0
    met
    [ "$status" = 3 ]
    says "dwclean resume"
    left=$(rows_left)
    [ "${left% *}" = "0 0 0" ]
    status_of resumed
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "a sync that fails with an error of the disk, before and after COMMIT" {
    at commit-sent EIO FAULT_KIND=fdatasync FAULT_MATCH=journal.ndjson FAULT_AT=8 FAULT_TIMES=0
    met
    [ "$status" = 13 ]
    [ "$(rows_left)" = "34 34 958 17" ]
    fresh
    rm -rf "$runs"
    at committed EIO FAULT_TIMES=0
    met
    [ "$status" = 3 ]
    [ "$(rows_left)" = "0 0 0 17" ]
}

@test "a backup that cannot be read back is no backup" {
    at none EIO FAULT_KIND=read FAULT_MATCH=events.ndjson.zst
    met
    [ "$status" = 13 ]
    says events.ndjson.zst
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a stop signal before COMMIT rolls back, in every phase" {
    for case in open:INT:130 confirmed:TERM:143 begin:HUP:129; do
        IFS=: read -r step signal wanted <<<"$case"
        fresh
        rm -rf "$runs"
        at "$step" "signal-$(kill -l "$signal")"
        met
        [ "$status" = "$wanted" ]
        says "$(basename "$runs"/2*)" # which run it was
        [ "$(rows_left)" = "34 34 958 17" ]
        refute journal_has commit-sent
        status_of resumed
        [ "$status" = 4 ]
    done
}

@test "a stop signal when COMMIT is on its way: it ends, nothing is purged, and resume finishes" {
    for signal in INT HUP; do
        fresh
        rm -rf "$runs"
        at commit-sent "signal-$(kill -l "$signal")"
        met
        [ "$status" = 3 ]
        [ "$(rows_left)" = "0 0 0 17" ]
        journal_has committed
        refute journal_has purge-intent
        says "dwclean resume"
        status_of resumed
        [ "$status" = 0 ]
        [ "$(rows_left)" = "0 0 0 0" ]
    done
}

@test "a stop signal in the purge: the current rows finish and are on record" {
    for signal in INT TERM; do
        fresh
        rm -rf "$runs"
        at purge-intent "signal-$(kill -l "$signal")"
        met
        [ "$status" = 3 ]
        left=$(rows_left)
        [ "${left% *}" = "0 0 0" ]
        gone=$((17 - ${left##* }))
        [ "$(grep '"step":"purge-outcome"' "$runs"/2*/journal.ndjson | grep -o '"done 204' | wc -l)" = "$gone" ]
        status_of resumed
        [ "$status" = 0 ]
        [ "$(rows_left)" = "0 0 0 0" ]
    done
}

@test "a second stop signal ends at once: 143 before the change, 3 after COMMIT" {
    at plan signal-15 FAULT_MATCH=journal.ndjson FAULT_AT=3 FAULT_TIMES=2
    met
    [ "$status" = 143 ]
    [ ! -s "$BATS_TEST_TMPDIR/stdout" ] # no time for a report
    [ "$(rows_left)" = "34 34 958 17" ]
    fresh
    rm -rf "$runs"
    # the first in the transaction, the second when COMMIT has its answer
    at commit signal-15 FAULT_MATCH='"step":"commit' FAULT_TIMES=2
    met
    [ "$status" = 3 ]
    [ "$(rows_left)" = "0 0 0 17" ]
    refute journal_has committed
    status_of resumed
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "stop signals one after the other in the transaction do not tear it" {
    at commit-sent signal-15
    id=$(plan_id)
    fault '{"at":"tds.commit.before","times":1,"do":"delay","arg":1500}'
    faulted "$id" >"$BATS_TEST_TMPDIR/stdout" 2>&1 &
    left_running=$!
    await journal_has commit-sent
    for _ in 1 2 3; do kill -TERM "$left_running"; sleep 0.1; done
    wait "$left_running" && status=0 || status=$?
    [ "$status" = 3 ]
    [ "$(rows_left)" = "0 0 0 17" ]
    status_of resumed
    [ "$status" = 0 ]
}

@test "Ctrl-Z in the transaction waits for its end: no lock is held by a stopped process" {
    at commit-sent signal-20
    id=$(plan_id)
    set -m # a process group of its own, as a job of a shell has: an orphan's would not be stopped
    faulted "$id" >"$BATS_TEST_TMPDIR/stdout" 2>&1 &
    left_running=$!
    set +m
    await is_stopped "$left_running"
    journal_has commit-sent
    # stopped, but behind COMMIT: the locks are free, and the rows are gone
    sql "SET LOCK_TIMEOUT 2000; BEGIN TRANSACTION; SELECT COUNT(*) FROM dbo.BUSINESSEVENTSDEFINITION WITH (TABLOCKX, HOLDLOCK); COMMIT"
    [ "$(rows_left)" = "0 0 0 17" ]
    kill -CONT "$left_running"
    wait "$left_running"
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "Ctrl-Z before and after the transaction stops the process, and fg goes on" {
    for step in backup-sealed purge-intent; do
        fresh
        rm -rf "$runs"
        at "$step" signal-20
        id=$(plan_id)
        set -m
        faulted "$id" >"$BATS_TEST_TMPDIR/stdout" 2>&1 &
        left_running=$!
        set +m
        await is_stopped "$left_running"
        sql "SET LOCK_TIMEOUT 2000; BEGIN TRANSACTION; SELECT COUNT(*) FROM dbo.BUSINESSEVENTSDEFINITION WITH (TABLOCKX, HOLDLOCK); COMMIT"
        kill -CONT "$left_running"
        wait "$left_running"
        [ "$(rows_left)" = "0 0 0 0" ]
    done
}

@test "a reader that leaves, a closed and a full stdout and stderr stop no run" {
    for case in head closed full both; do
        fresh
        rm -rf "$runs"
        id=$(plan_id)
        arguments=(--maps-are-stopped --reason test --yes --plan-id "$id")
        status=0
        case $case in
        head)
            clean "${arguments[@]}" | head -n 1
            status=${PIPESTATUS[0]}
            ;;
        closed) clean "${arguments[@]}" >&- 2>&- || status=$? ;;
        full) clean "${arguments[@]}" >/dev/full 2>"$BATS_TEST_TMPDIR/stderr" || status=$? ;;
        both) clean "${arguments[@]}" >/dev/full 2>/dev/full || status=$? ;;
        esac
        echo "$case: $status"
        [ "$status" = 0 ]
        [ "$(rows_left)" = "0 0 0 0" ]
        grep -q '^DONE' "$runs"/2*/report.txt
        [ "$case" != full ] || grep -q 'write the report' "$BATS_TEST_TMPDIR/stderr"
    done
}

@test "a terminal that goes away at the prompt changes nothing" {
    mapfile -t t < <(axdb_target; dataverse_target)
    printf '%q ' "$DWCLEAN" clean --class sandbox --runs-dir "$runs" "${t[@]}" >"$BATS_TEST_TMPDIR/command"
    session=dwclean-$$-$BATS_TEST_NUMBER
    # the shell outlives its terminal, to tell the status
    tmux -L "$session" -f /dev/null new-session -d -x 80 -y 50 \
        "trap '' HUP; export DWCLEAN_PASSWORD='$DWCLEAN_PASSWORD' DWCLEAN_CLIENT_SECRET='$DWCLEAN_CLIENT_SECRET'; bash -c \"\$(cat '$BATS_TEST_TMPDIR/command')\"; echo \$? >'$BATS_TEST_TMPDIR/code'"
    prompts() { tmux -L "$session" capture-pane -p | grep -q STOPPED; }
    await prompts
    tmux -L "$session" kill-server
    await test -s "$BATS_TEST_TMPDIR/code"
    code=$(cat "$BATS_TEST_TMPDIR/code")
    echo "status $code"
    [ "$code" = 129 ] || [ "$code" = 4 ] # by the signal, or by the end of input
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "two operators at once: on one machine by the lock file, on two by the application lock" {
    at backup-sealed signal-19
    id=$(plan_id)
    faulted "$id" >"$BATS_TEST_TMPDIR/first" 2>&1 &
    left_running=$!
    await is_stopped "$left_running"
    first=$(basename "$runs"/2*)
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 11 ]
    says "$first"
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id" --runs-dir "$BATS_TEST_TMPDIR/elsewhere"
    [ "$status" = 11 ]
    says "another dwclean run"
    [ "$(rows_left)" = "34 34 958 17" ]
    kill -CONT "$left_running"
    wait "$left_running"
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "a killed run leaves its locks to the next one, which says that nothing was changed" {
    at backup-sealed kill-after
    met
    killed=$(basename "$runs"/2*)
    [ "$status" = 137 ]
    [ "$(rows_left)" = "34 34 958 17" ]
    status_of resumed
    [ "$status" = 4 ]
    says "stopped before anything was changed"
    status_of clean_all
    [ "$status" = 0 ]
    grep "$killed" "$BATS_TEST_TMPDIR/stderr" | grep -q "nothing was changed"
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "a run that was killed between COMMIT and its record is settled by resume; a further resume changes nothing" {
    at committed kill-before
    met
    [ "$status" = 137 ]
    [ "$(rows_left)" = "0 0 0 17" ]
    status_of clean --dry-run
    [ "$status" = 4 ] # a new run would hide what became of the COMMIT
    says "dwclean resume"
    status_of resumed
    [ "$status" = 0 ]
    journal_has settled
    [ "$(rows_left)" = "0 0 0 0" ]
    sum=$(sha256sum "$runs"/2*/journal.ndjson)
    status_of resumed
    [ "$status" = 4 ]
    [ "$(sha256sum "$runs"/2*/journal.ndjson)" = "$sum" ]
}

@test "a run that was killed before COMMIT was sent was rolled back, and resume says so" {
    at commit-sent kill-after
    met
    [ "$status" = 137 ]
    [ "$(rows_left)" = "34 34 958 17" ]
    status_of resumed
    [ "$status" = 3 ]
    says "rolled back"
    [ "$(rows_left)" = "34 34 958 17" ]
    status_of resumed
    [ "$status" = 4 ]
    status_of clean_all
    [ "$status" = 0 ]
}

@test "a deadlock victim and a lock timeout are tried again, then given up with 11; another error is 14" {
    fault '{"at":"tds.request","match":"DELETE FROM","times":1,"do":"error","arg":1222}'
    status_of clean_all
    [ "$status" = 0 ]
    says "trying again"
    fresh
    fault '{"at":"tds.request","match":"DELETE FROM","times":0,"do":"error","arg":1205}'
    rm -rf "$runs"
    status_of clean_all
    [ "$status" = 11 ]
    [ "$(rows_left)" = "34 34 958 17" ]
    fresh
    fault '{"at":"tds.request","match":"DELETE FROM","times":1,"do":"error","arg":547,"text":"The DELETE statement conflicted."}'
    rm -rf "$runs"
    status_of clean_all
    [ "$status" = 14 ]
    says 547
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "locks that are held too long are given back: 11, and how long they were held" {
    fault '{"at":"tds.request","match":"DELETE FROM","times":0,"do":"delay","arg":1200}'
    status_of clean_all --max-lock-time 1
    [ "$status" = 11 ]
    says "the time for holding locks is used up"
    grep -qE 'locked +the AxDB tables for [0-9]+ ms' "$BATS_TEST_TMPDIR/stdout"
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a look afterwards that cannot sign in proves nothing: 3, and the way on" {
    id=$(plan_id)
    fault '{"at":"tds.login","skip":1,"times":0,"do":"error","arg":18456}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 3 ]
    says "could not be verified"
    says "dwclean verify"
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "a row of AxDB that is written after the plan is never deleted: 3, and it is told" {
    id=$(plan_id)
    fault '{"at":"tds.login","skip":1,"times":1,"do":"sql","text":"INSERT INTO dbo.DUALWRITEPROJECTFIELDCONFIGURATION (PROJECTNAME, PARTITION, RECVERSION, RECID) VALUES (N'"'late'"', 5637144576, 1, 9999999)"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 3 ]
    says "something still writes"
    [ "$(rows_left)" = "0 1 0 0" ]
}
