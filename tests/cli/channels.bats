#!/usr/bin/env bats
# Event rows by channel: counts, and a part that goes while the rest stays.

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
}

@test "counts by channel, direction, handler and state are in the report" {
    status_of verify
    says "HANDLERCLASS"
    says AthenaFinanceOperationsTableDataFeed
    says 5811
    verify --format json >"$BATS_TEST_TMPDIR/report.json" || true
    [ "$(json before.axdb.channels.length <"$BATS_TEST_TMPDIR/report.json")" = 2 ]
}

@test "several families are refused until a channel is named; then only its rows go" {
    status_of clean --dry-run
    [ "$status" = 4 ]
    says --channel
    status_of clean --dry-run --channel DualWrite
    [ "$status" = 0 ]
    says "and keep 2."
    says "KEPT"
    status_of clean_all --channel DualWrite
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 2 0" ]
    # verify with the same scope: clean, and the kept rows are said
    status_of verify --channel DualWrite
    [ "$status" = 0 ]
    says "KEPT"
    says "kept by choice"
    status_of verify --channels all
    [ "$status" = 2 ]
    # without a channel it is not known whose the kept rows are: the first advice is to name them again
    verify --format json >"$BATS_TEST_TMPDIR/report.json" || true
    json next.0 <"$BATS_TEST_TMPDIR/report.json" | grep -q 'dwclean verify --channel NAME'
    json next.1 <"$BATS_TEST_TMPDIR/report.json" | grep -q 'channels all'
}

@test "where no row is kept, none is spoken of" {
    sql "DELETE FROM dbo.BUSINESSEVENTSDEFINITION WHERE CHANNEL <> N'DualWrite'"
    clean_all --channel DualWrite >"$BATS_TEST_TMPDIR/clean.txt"
    status_of verify --channel DualWrite
    [ "$status" = 0 ]
    refute says "kept by choice"
}

@test "the channels of an environment stand in its section" {
    mapfile -t t < <(axdb_target; dataverse_target)
    cat >"$BATS_TEST_TMPDIR/config.ini" <<INI
[env "uat"]
class = sandbox
server = localhost,$SANDBOX_TDS_PORT
database = AxDB
user = dwclean
cacert = $SANDBOX_CA
dataverse_url = $SANDBOX_DATAVERSE_URL
tenant_id = $SANDBOX_TENANT
client_id = $SANDBOX_CLIENT_ID
allow_host = localhost
channels = DualWrite
INI
    status_of "$DWCLEAN" clean --env uat --config "$BATS_TEST_TMPDIR/config.ini" --dry-run
    [ "$status" = 0 ]
    says "and keep 2."
    status_of "$DWCLEAN" clean --env uat --config "$BATS_TEST_TMPDIR/config.ini" --dry-run --channels all
    [ "$status" = 0 ]
    refute says "and keep"
}

@test "--channel all, --channel with --channels, a channel that no row has" {
    status_of clean --dry-run --channel all
    [ "$status" = 64 ]
    says "--channels all"
    status_of clean --dry-run --channel DualWrite --channels all
    [ "$status" = 64 ]
    status_of clean --dry-run --channel Nobody --format json
    [ "$(json tables.2.planned <<<"$output")" = 0 ] || [ "$status" = 4 ]
}

@test "a channel that is named in another case is refused, not taken for none" {
    status_of clean --dry-run --channel dualwrite
    [ "$status" = 4 ]
    says "case or blanks only"
    status_of verify --channel dualwrite --format json
    refute [ "$status" = 0 ]
    says "differs from one that is named in case or blanks only"
    status_of verify --channel DualWrite --channel Nobody --format json
    says 'no event row has channel \"Nobody\"'
}
