#!/usr/bin/env bats
# Both halves of verify at the same time: two processes, one report.

setup_file() {
    load support
    boot small
}

teardown_file() {
    load support
    halt
}

setup() {
    load support
    use_sandbox
    fresh
}

# gone PID: it ends within a second; whose parent was killed may wait for somebody to take notice.
gone() {
    for _ in $(seq 50); do
        ! kill -0 "$1" 2>/dev/null && return 0
        ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null || return 0
        sleep 0.02
    done
    return 1
}

# begin_to_look: verify in the background, until its second process is there: $verify_pid, $dwclean_pid, $child.
begin_to_look() {
    verify >"$BATS_TEST_TMPDIR/out" 2>&1 &
    verify_pid=$!
    for _ in $(seq 100); do
        dwclean_pid=$(pgrep -P "$verify_pid" -x dwclean || true)
        child=$([ -z "$dwclean_pid" ] || pgrep -P "$dwclean_pid" || true)
        [ -z "$child" ] || break
        sleep 0.02
    done
    [ -n "$child" ]
}

now_ms() { date +%s%3N; }

@test "verify takes as long as the slower half, not as both" {
    verify >/dev/null || true # the first one warms the machine up
    fault '{"at":"tds.request","times":1,"do":"delay","arg":2000}'
    fault '{"at":"dv.request","times":1,"do":"delay","arg":2000}'
    began=$(now_ms)
    status_of verify
    took=$(($(now_ms) - began))
    [ "$status" = 2 ]
    echo "# took $took ms where each half took over 2000" >&3
    [ "$took" -ge 2000 ]
    [ "$took" -lt 3500 ]
}

@test "a half whose process is killed is not known, and the other one is shown" {
    fault '{"at":"dv.request","times":0,"do":"delay","arg":3000}'
    begin_to_look
    kill -KILL "$child"
    status=0
    wait "$verify_pid" || status=$?
    [ "$status" = 2 ] # AxDB has rows
    grep -q "the process that looked at Dataverse ended before its time" "$BATS_TEST_TMPDIR/out"
    grep -q "Dataverse was not read" "$BATS_TEST_TMPDIR/out"
}

@test "a stop signal ends both, and no process stays behind" {
    fault '{"at":"dv.request","times":0,"do":"delay","arg":20000}'
    begin_to_look
    kill -TERM "$dwclean_pid"
    status=0
    wait "$verify_pid" || status=$?
    [ "$status" = 143 ]
    gone "$child"
}

@test "killed at once, it takes the other process along" {
    fault '{"at":"dv.request","times":0,"do":"delay","arg":20000}'
    begin_to_look
    kill -KILL "$dwclean_pid"
    wait "$verify_pid" || true
    gone "$child"
}
