#!/usr/bin/env bats
# Every JSON report holds to the published schema, checked by a validator that this project did not write.

setup_file() {
    load support
    boot hostile
    export VALIDATOR=$BATS_FILE_TMPDIR/validator
    mkdir "$VALIDATOR"
    cp "$BATS_TEST_DIRNAME"/{package.json,package-lock.json,.npmrc,validate_json.mjs} "$VALIDATOR"
    (cd "$VALIDATOR" && npm ci >npm.log 2>&1) || cat "$VALIDATOR/npm.log" >&2
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

valid() {
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/outcome.schema.json" "$BATS_TEST_TMPDIR/stdout"
}

@test "the validator refuses what is not a report" {
    echo '{"word":"clean"}' >"$BATS_TEST_TMPDIR/stdout"
    refute valid
}

@test "verify, of hostile rows" {
    status_of verify --format json
    [ "$status" = 2 ]
    valid
}

@test "a dry run, a change, and the clean state after it" {
    status_of clean --dry-run --channels all --format json
    [ "$status" = 0 ]
    valid
    status_of clean_all --channels all --format json
    [ "$status" = 0 ]
    valid
    cmp "$BATS_TEST_TMPDIR/stdout" "$(ls -d "$runs"/2*)/report.json"
    status_of verify --format json
    [ "$status" = 0 ]
    valid
}

@test "a refusal, a failure to connect, and a usage error" {
    status_of clean --format json
    [ "$status" = 4 ]
    valid
    status_of verify_axdb -S localhost,1 --format json
    [ "$status" = 10 ]
    valid
    status_of verify --format json -S ''
    [ "$status" = 64 ]
    valid
}

@test "a purge that leaves a row" {
    id=$(plan_id --channels all)
    fault '{"at":"dv.delete","times":1,"do":"other","text":"changed-name"}'
    status_of clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id" --format json
    [ "$status" = 3 ]
    valid
}

@test "the report of an unfinished run ends with the command that finishes it" {
    id=$(plan_id --channels all)
    fault '{"at":"tds.commit.after","times":1,"do":"cut"}'
    status_of clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id" --format json
    [ "$status" = 3 ]
    for step in 0 1 2 3; do
        line=$(json "next.$step" <<<"$output")
        case $line in "dwclean resume "*) break ;; esac
    done
    [ "${line%% -S *}" = "dwclean resume $(basename "$(ls -d "$runs"/2*)")" ]
    eval "set -- ${line#dwclean }"
    status_of "$DWCLEAN" "$@" -U dwclean --cacert "$SANDBOX_CA" --tenant-id "$SANDBOX_TENANT" \
        --client-id "$SANDBOX_CLIENT_ID" --allow-host localhost \
        --maps-are-stopped --reason test --yes --plan-id "$id" </dev/null
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    # a second time: nothing is left to do, and nothing is said of copies
    status_of "$DWCLEAN" "$@" -U dwclean --cacert "$SANDBOX_CA" --tenant-id "$SANDBOX_TENANT" \
        --client-id "$SANDBOX_CLIENT_ID" --allow-host localhost \
        --maps-are-stopped --reason test --yes --plan-id "$id" </dev/null
    [ "$status" = 4 ]
    refute says "only copy"
    status_of "$DWCLEAN" "$@" -U dwclean --cacert "$SANDBOX_CA" --tenant-id "$SANDBOX_TENANT" \
        --client-id "$SANDBOX_CLIENT_ID" --allow-host localhost --maps-are-stopped --reason test --yes </dev/null
    [ "$status" = 4 ]
    says "the run's own plan-id"
    refute says --dry-run
}

@test "a report in a file leaves its verdict on stderr" {
    echo old >"$BATS_TEST_TMPDIR/report.txt"
    status_of verify -o "$BATS_TEST_TMPDIR/report.txt"
    [ "$status" = 2 ]
    [ -z "$output" ]
    grep -q "^dwclean: RESIDUE  .*; report in $BATS_TEST_TMPDIR/report.txt$" "$BATS_TEST_TMPDIR/stderr"
    [ "$(head -c 7 "$BATS_TEST_TMPDIR/report.txt")" = RESIDUE ]
}

@test "check, a part of the channels, an undo, a map, a run that is resumed" {
    status_of check --format json
    valid
    status_of check -U nodelete --format json
    [ "$status" = 2 ]
    valid
    id=$(plan_id --channels all)
    fault '{"at":"tds.commit.after","times":1,"do":"cut"}'
    status_of clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id" --format json
    [ "$status" = 3 ]
    valid
    status_of both_write resume last --channels all --maps-are-stopped --reason test --yes --plan-id "$id" --format json
    [ "$status" = 0 ]
    valid
    status_of confirmed axdb_write undo last --format json
    [ "$status" = 0 ]
    valid
    [ "$(json undoes <<<"$output")" = "$(basename "$(ls -d "$runs"/2* | head -1)")" ]
    status_of axdb_write repair-map --map 'No such:map' --dry-run --format json
    [ "$status" = 4 ]
    valid
}
