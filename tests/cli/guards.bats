#!/usr/bin/env bats
# Environments that must not be cleaned as they are, and values that must not confuse anything.

setup() {
    load support
}

teardown() {
    [ -z "${sandbox_pid:-}" ] || stop_sandbox
}

begin() {
    start_sandbox "$BATS_TEST_TMPDIR/sandbox" "$@"
    export DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
    runs=$BATS_TEST_TMPDIR/runs
}

@test "an environment that was never linked is clean" {
    begin clean
    status_of verify
    [ "$status" = 0 ]
    status_of clean_all
    [ "$status" = 0 ]
    [ ! -e "$runs" ]
}

@test "rows that name the target's own organization are refused" {
    begin own-host
    status_of clean --dry-run
    [ "$status" = 4 ]
    says contoso-uat.crm4.dynamics.com
    says --dataverse-only
    says --rows-name-this-environment
    status_of clean --dry-run --rows-name-this-environment --reason "unlinked"
    [ "$status" = 0 ]
}

@test "the AxDB half alone needs to know whose rows are right" {
    begin scenario-a
    mapfile -t t < <(axdb_target)
    status_of "$DWCLEAN" clean --axdb-only --class sandbox --dry-run "${t[@]}"
    [ "$status" = 4 ]
    says --expect-dataverse-host
    status_of "$DWCLEAN" clean --axdb-only --class sandbox --dry-run "${t[@]}" \
        --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 0 ]
    status_of "$DWCLEAN" clean --axdb-only --class sandbox --dry-run "${t[@]}" \
        --expect-dataverse-host contoso-prod.crm4.dynamics.com
    [ "$status" = 4 ]
}

@test "event rows without an owner are refused, and verify does not know" {
    begin events-only
    status_of verify_axdb --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 14 ]
    says "unknown owner"
    status_of clean --dry-run
    [ "$status" = 4 ]
    says --channels
    status_of clean --dry-run --channels all
    [ "$status" = 0 ]
}

@test "channels that features share are refused until all are chosen" {
    begin mixed-channels
    status_of clean --dry-run
    [ "$status" = 4 ]
    says AthenaFinanceOperations
    status_of clean_all --channels all
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "hostile names and values are backed up exactly and shown harmlessly" {
    begin hostile
    status_of verify
    [ "$status" = 2 ]
    refute grep -q $'\x1b' "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
    verify --format json >"$BATS_TEST_TMPDIR/report.json" || [ $? = 2 ]
    json exit_status <"$BATS_TEST_TMPDIR/report.json"
    status_of clean_all --channels all
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    run=$(ls -d "$runs"/2*)
    zstdcat "$run"/backup/*.zst | wc -c
    [ "$(zstdcat "$run/backup/field.ndjson.zst" | wc -c)" -gt 1000000 ]
}

@test "two thousand rows on each side go" {
    begin large --rows 2000
    id=$(plan_id)
    mapfile -t t < <(axdb_target; dataverse_target)
    "$DWCLEAN" clean --class sandbox --runs-dir "$runs" "${t[@]}" --maps-are-stopped --reason test \
        --yes --plan-id "$id" </dev/null >"$BATS_TEST_TMPDIR/stdout"
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "a trigger, a foreign key and a row-level policy refuse the run" {
    begin small
    sql 'CREATE TRIGGER dbo.TR_AUDIT ON dbo.DUALWRITEPROJECTCONFIGURATION AFTER DELETE AS PRINT 1'
    status_of clean --dry-run
    [ "$status" = 4 ]
    says TR_AUDIT
    status_of clean --dry-run --allow-triggers
    [ "$status" = 0 ]
}

@test "a database that is single-user or read-only is refused" {
    begin small
    sql 'ALTER DATABASE CURRENT SET READ_ONLY'
    status_of clean --dry-run
    [ "$status" = 4 ]
    says read-only
    sql 'ALTER DATABASE CURRENT SET READ_WRITE'
    status_of clean --dry-run
    [ "$status" = 0 ]
}
