#!/usr/bin/env bats
# What a run needs: there, missing, or not known; nothing is changed.

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

@test "a login with every right is ready, and nothing is written" {
    before=$(rows_left)
    status_of check
    [ "$status" = 0 ]
    [ "${output:0:5}" = READY ]
    says "What a run needs"
    [ "$(rows_left)" = "$before" ]
    [ -z "$(ls -A "$runs" 2>/dev/null)" ]
    refute says "counts as production"
    status_of check --class production
    [ "$status" = 0 ]
    says "counts as production: clean will ask for --allow-production"
}

@test "a missing right is named with the statement that grants it" {
    status_of check -U nodelete
    [ "$status" = 2 ]
    [ "${output:0:7}" = MISSING ]
    says "missing"
    tr -s ' \n' ' ' <"$BATS_TEST_TMPDIR/stdout" | grep -q 'GRANT DELETE ON .*BUSINESSEVENTSDEFINITION'
    check -U nodelete --format json >"$BATS_TEST_TMPDIR/report.json" || true
    [ "$(json outcome <"$BATS_TEST_TMPDIR/report.json")" = missing ]
}

@test "a login without any right, and a server that is not there" {
    status_of check -U nothing
    [ "$status" != 0 ]
    status_of check -S localhost,1
    [ "$status" = 10 ]
}

@test "the place of runs is looked at, and is not needed" {
    mapfile -t t < <(axdb_target)
    status_of env -u HOME XDG_STATE_HOME= "$DWCLEAN" check --axdb-only --class sandbox \
        --expect-dataverse-host "$own_host" "${t[@]}"
    [ "$status" -le 2 ]
    status_of check --runs-dir /proc/nowhere
    [ "$status" != 0 ]
    says /proc/nowhere
}

@test "a pin that does not hold is missing" {
    cat >"$BATS_TEST_TMPDIR/config.ini" <<INI
[env "uat"]
class = sandbox
server = localhost,$SANDBOX_TDS_PORT
database = AxDB
user = dwclean
cacert = $SANDBOX_CA
expect_dataverse_host = $own_host
expect_database = OtherDB
INI
    status_of "$DWCLEAN" check --axdb-only --env uat --config "$BATS_TEST_TMPDIR/config.ini" --runs-dir "$runs"
    [ "$status" = 2 ]
    says OtherDB
    status_of "$DWCLEAN" clean --dry-run --axdb-only --env uat --config "$BATS_TEST_TMPDIR/config.ini"
    [ "$status" = 4 ]
    says OtherDB
}

@test "what only an undo needs of Dataverse is named, and stops nothing" {
    control -X PATCH --data '{"may_create":false}' /dataverse/settings >/dev/null
    status_of check
    [ "$status" = 0 ]
    grep -qE 'C-CREATE +advisory missing' "$BATS_TEST_TMPDIR/stdout"
    says "privilege Create, any level"
    control -X PATCH --data '{"may_create":true}' /dataverse/settings >/dev/null
    status_of check
    grep -qE 'C-CREATE +advisory ok' "$BATS_TEST_TMPDIR/stdout"
}
