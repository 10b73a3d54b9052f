#!/usr/bin/env bats
# The line of a step on terminals of several kinds (tmux), and none of it elsewhere.

setup_file() {
    load support
    boot scenario-a
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

# at_terminal COLUMNS LOCALE: a purge that Dataverse slows down, in tmux; screens are collected in $BATS_TEST_TMPDIR/screens.
at_terminal() {
    local id session
    id=$(plan_id)
    mapfile -t t < <(axdb_target; dataverse_target)
    [ -n "${3:-}" ] || fault '{"at":"dv.request","match":"$batch","times":1,"do":"error","arg":429}'
    fault '{"at":"dv.request","match":"$batch","times":0,"do":"delay","arg":300}'
    printf '%q ' "$DWCLEAN" clean --class sandbox --runs-dir "$runs" "${t[@]}" --maps-are-stopped --reason test --yes \
        --plan-id "$id" -o "$BATS_TEST_TMPDIR/report" >"$BATS_TEST_TMPDIR/command"
    session=dwclean-$$-$BATS_TEST_NUMBER
    tmux -u -L "$session" -f /dev/null new-session -d -x "$1" -y 50 \
        "export DWCLEAN_PASSWORD='$DWCLEAN_PASSWORD' DWCLEAN_CLIENT_SECRET='$DWCLEAN_CLIENT_SECRET' LC_ALL=$2 NO_COLOR=1 TERM=${3:-screen}; \
        bash -c \"\$(cat '$BATS_TEST_TMPDIR/command')\"; echo \$? >'$BATS_TEST_TMPDIR/code'; sleep 1"
    for _ in $(seq 400); do
        tmux -L "$session" capture-pane -p >>"$BATS_TEST_TMPDIR/screens" 2>/dev/null || true
        [ -s "$BATS_TEST_TMPDIR/code" ] && break
        sleep 0.05
    done
    tmux -L "$session" capture-pane -p >"$BATS_TEST_TMPDIR/last" || true
    tmux -L "$session" kill-server 2>/dev/null || true
    sort -u "$BATS_TEST_TMPDIR/screens"
    [ "$(cat "$BATS_TEST_TMPDIR/code")" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "progress: one line at 80 columns, ASCII in the C locale, taken away at the end" {
    at_terminal 80 C
    grep -qE '^runtime configurations.* \[#*-+\] [0-9]+/17 +[0-9]+%' "$BATS_TEST_TMPDIR/screens"
    refute grep -q '/17' "$BATS_TEST_TMPDIR/last"
    refute grep -qP '[^\x00-\x7f]' "$BATS_TEST_TMPDIR/screens"
}

@test "progress: at 60 columns, with the block characters of a UTF-8 locale" {
    at_terminal 60 C.UTF-8
    grep -qE '^runtime.* [0-9]+/17 +[0-9]+%' "$BATS_TEST_TMPDIR/screens"
    grep -q $'\xe2\x96\x91' "$BATS_TEST_TMPDIR/screens"
    grep -qE '^runtime.* [0-9]+/17 +[0-9]+% paused until [0-9:]{8} UTC' "$BATS_TEST_TMPDIR/screens"
    # it never wraps: no screen has more than one line of it
    refute grep -qE '^(s? ?left|UTC|[0-9]+%)' "$BATS_TEST_TMPDIR/screens"
}

@test "progress: a dumb terminal has none of a short job" {
    at_terminal 80 C dumb
    refute grep -q '/17' "$BATS_TEST_TMPDIR/screens"
}

@test "progress: nothing on stdout, nothing elsewhere of a short job" {
    id=$(plan_id)
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id" --color always --format json
    [ "$status" = 0 ]
    json outcome <"$BATS_TEST_TMPDIR/stdout"
    refute says 'rows/s'
}

@test "progress: a run in the background leaves the terminal to others" {
    id=$(plan_id)
    mapfile -t t < <(axdb_target; dataverse_target)
    fault '{"at":"dv.request","match":"$batch","times":0,"do":"delay","arg":500}'
    printf '%q ' "$DWCLEAN" clean --class sandbox --runs-dir "$runs" "${t[@]}" --maps-are-stopped --reason test --yes \
        --plan-id "$id" -o "$BATS_TEST_TMPDIR/report" >"$BATS_TEST_TMPDIR/command"
    printf 'set -m\n%s </dev/null &\nwait $!\necho $? >%q\nsleep 1\n' "$(cat "$BATS_TEST_TMPDIR/command")" "$BATS_TEST_TMPDIR/code" \
        >"$BATS_TEST_TMPDIR/script"
    session=dwclean-$$-$BATS_TEST_NUMBER
    tmux -L "$session" -f /dev/null new-session -d -x 80 -y 50 \
        "export DWCLEAN_PASSWORD='$DWCLEAN_PASSWORD' DWCLEAN_CLIENT_SECRET='$DWCLEAN_CLIENT_SECRET' LC_ALL=C; bash '$BATS_TEST_TMPDIR/script'"
    for _ in $(seq 400); do
        tmux -L "$session" capture-pane -p >>"$BATS_TEST_TMPDIR/screens" 2>/dev/null || true
        [ -s "$BATS_TEST_TMPDIR/code" ] && break
        sleep 0.05
    done
    tmux -L "$session" kill-server 2>/dev/null || true
    sort -u "$BATS_TEST_TMPDIR/screens"
    [ "$(cat "$BATS_TEST_TMPDIR/code")" = 0 ]
    grep -q DONE "$BATS_TEST_TMPDIR/screens"
    refute grep -q '/17' "$BATS_TEST_TMPDIR/screens"
}
