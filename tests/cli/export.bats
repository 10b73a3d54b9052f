#!/usr/bin/env bats
# `export RUN --sql`: a script for a DBA, without a connection.

setup_file() {
    load support
    boot mixed-channels
}

teardown_file() {
    load support
    halt
}

setup() {
    load support
    use_sandbox
    fresh
    cd "$BATS_TEST_TMPDIR"
}

export_run() { env -u DWCLEAN_PASSWORD -u DWCLEAN_CLIENT_SECRET "$DWCLEAN" export "$@" --runs-dir "$runs" </dev/null; }

@test "the script lies in a file for its owner only, and brings the rows back" {
    status_of clean_all --channels all
    [ "$status" = 0 ]
    run=$(basename "$(ls -d "$runs"/2*)")
    control -X DELETE /log
    status_of export_run last --sql
    [ "$status" = 0 ]
    [ -z "$(control /log)" ]
    script=undo-$run.sql
    says "$script"
    says "SERVICEBUSCONNECTIONSTRING"
    says "BRINGS THE STALE LINK BACK"
    says "rows of Dataverse"
    refute grep -q SECRET-MARKER "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
    [ "$(stat -c %a "$script")" = 600 ]
    [ "$(ls | grep -c sql)" = 1 ]
    sql "$(cat "$script")"
    [ "$(rows_left)" = "1 1 5 0" ]
    grep -q "$run" "$script"
}

@test "of a run that kept rows, the script says that it refuses beside them, and does" {
    status_of clean_all --channel DualWrite
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 2 0" ]
    status_of export_run last --sql --out part.sql
    [ "$status" = 0 ]
    says "The script refuses"
    says " --merge"
    refute sql "$(cat part.sql)"
    [ "$(rows_left)" = "0 0 2 0" ]
}

@test "a file that is there is not replaced" {
    status_of clean_all --channels all
    echo mine >mine.sql
    status_of export_run last --sql --out mine.sql
    [ "$status" = 13 ]
    [ "$(cat mine.sql)" = mine ]
    status_of export_run last --sql --out /nonexistent/x.sql
    [ "$status" = 13 ]
}

@test "stdout only when it is asked for" {
    status_of clean_all --channels all
    status_of export_run last --sql --out -
    [ "$status" = 0 ]
    grep -q INSERT "$BATS_TEST_TMPDIR/stdout"
    grep -q "STALE LINK" "$BATS_TEST_TMPDIR/stderr"
    if script --version >/dev/null 2>&1; then
        status=0
        script -qec "'$DWCLEAN' export last --sql --out - --runs-dir '$runs'" /dev/null >typescript </dev/null || status=$?
        [ "$status" = 64 ]
        refute grep -q INSERT typescript
    fi
}

@test "without --sql, without a run, with an unknown run: usage" {
    status_of export_run last
    [ "$status" = 64 ]
    says --sql
    status_of export_run --sql
    [ "$status" = 64 ]
    mkdir -p "$runs"
    status_of export_run never --sql
    [ "$status" = 64 ]
    status_of export_run last --sql -S localhost
    [ "$status" = 64 ]
    says "not an option of export"
}

@test "a damaged backup is found out before a line is written" {
    status_of clean_all --channels all
    run=$(ls -d "$runs"/2*)
    printf x >>"$run/backup/runtime.ndjson.zst"
    status_of export_run last --sql
    [ "$status" = 13 ]
    [ -z "$(ls -- *.sql* 2>/dev/null)" ]
}
