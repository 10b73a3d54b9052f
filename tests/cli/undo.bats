#!/usr/bin/env bats
# Rows that a run removed come back, exactly; and a run that was cut off is finished.

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


@test "clean, then undo: every row is back, and the report says so" {
    status_of confirmed axdb_write clean --axdb-only
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 17" ]
    run=$(basename "$(ls -d "$runs"/2*)")
    status_of axdb_write undo "$run" --dry-run
    [ "$status" = 0 ]
    says "WOULD put back 1026 rows"
    [ "$(rows_left)" = "0 0 0 17" ]
    status_of confirmed axdb_write undo "$run"
    [ "$status" = 0 ]
    says "undoes run    $run"
    [ "$(rows_left)" = "34 34 958 17" ]
    refute says "only copy"
    # the undo is a run of its own, with its own journal
    [ "$(ls -d "$runs"/2* | wc -l)" = 2 ]
    (cd "$(newest_run)" && sha256sum --quiet -c SHA256SUMS)
    # and the rows can be removed again: byte by byte the same ones
    status_of confirmed axdb_write clean --axdb-only
    [ "$status" = 0 ]
    again=$(basename "$(newest_run)")
    for one in "$run" "$again"; do
        "$DWCLEAN" export "$one" --sql --out - --runs-dir "$runs" 2>/dev/null | grep -v '^--' >"$BATS_TEST_TMPDIR/$one.sql"
    done
    grep -q INSERT "$BATS_TEST_TMPDIR/$run.sql"
    cmp "$BATS_TEST_TMPDIR/$run.sql" "$BATS_TEST_TMPDIR/$again.sql"
}

@test "undo into a table that is not empty is refused; --merge adds only what is missing" {
    status_of confirmed axdb_write clean --axdb-only
    [ "$status" = 0 ]
    run=$(basename "$(ls -d "$runs"/2*)")
    status_of confirmed axdb_write undo last
    [ "$status" = 0 ]
    sql "DELETE FROM dbo.BUSINESSEVENTSDEFINITION WHERE RECID < (SELECT MIN(RECID) + 10 FROM dbo.BUSINESSEVENTSDEFINITION)"
    left=$(rows_left)
    status_of axdb_write undo "$run" --dry-run
    [ "$status" = 4 ]
    says --merge
    [ "$(rows_left)" = "$left" ]
    status_of confirmed axdb_write undo "$run" --merge
    [ "$status" = 0 ]
    says "there already, equal to the backup"
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "clean of both halves, then undo of both: Dataverse too comes back with its old keys" {
    status_of confirmed both_write clean --channels all
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    run=$(basename "$(ls -d "$runs"/2*)")
    status_of both_write undo "$run" --dry-run
    [ "$status" = 0 ]
    says "WOULD put back 1043 rows"
    says "new values"
    status_of confirmed both_write undo "$run"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "34 34 958 17" ]
    grep -q '"step":"return-outcome"' "$(newest_run)/journal.ndjson"
    # once more: nothing is missing on either side
    status_of confirmed both_write undo "$run"
    [ "$status" = 0 ]
    says "nothing to put back"
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "the rows of Dataverse alone are removed and put back without AxDB" {
    status_of confirmed dataverse_write clean --dataverse-only
    [ "$status" = 0 ]
    [ "$(rows_left)" = "34 34 958 0" ]
    status_of axdb_write undo last --dry-run
    [ "$status" = 4 ]
    says --dataverse-only
    status_of confirmed dataverse_write undo last --dataverse-only
    [ "$status" = 0 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "undo of an unknown run, of two runs and of no run" {
    mkdir -p "$runs"
    status_of axdb_write undo nothing --dry-run
    [ "$status" = 64 ]
    says nothing
    status_of axdb_write undo one two --dry-run
    [ "$status" = 64 ]
    status_of axdb_write undo --dry-run
    [ "$status" = 64 ]
    says "no RUN is named"
}

@test "undo without a runs directory to read from, and with a damaged backup" {
    status_of axdb_write undo last --dry-run --runs-dir /nonexistent/runs
    [ "$status" = 64 ]
    says /nonexistent/runs
    status_of confirmed axdb_write clean --axdb-only
    run=$(ls -d "$runs"/2*)
    printf x >>"$run/backup/events.ndjson.zst"
    status_of axdb_write undo last --dry-run
    [ "$status" = 13 ]
    [ "$(rows_left)" = "0 0 0 17" ]
}

@test "a COMMIT without an answer is settled, and resume finishes the run" {
    id=$(plan_id)
    fault '{"at":"tds.commit.after","times":1,"do":"cut"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id" --format json
    [ "$status" = 3 ]
    [ "$(json settled <<<"$output")" = committed ]
    [ "$(rows_left)" = "0 0 0 17" ]
    status_of both_write resume last --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 0 ]
    says "this is its second part"
    [ "$(rows_left)" = "0 0 0 0" ]
    status_of both_write resume last --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 4 ]
    says "nothing to resume"
}
