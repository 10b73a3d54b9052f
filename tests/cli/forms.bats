#!/usr/bin/env bats
# The forms for programs: ndjson, csv, junit; each read back by parsers that this project did not write.

setup_file() {
    load support
    boot hostile
    export VALIDATOR=$BATS_FILE_TMPDIR/validator
    mkdir "$VALIDATOR"
    cp "$BATS_TEST_DIRNAME"/{package.json,package-lock.json,.npmrc,validate_json.mjs} "$VALIDATOR"
    # the interpreter itself: a shim in front of it costs more than the reading
    PYTHON=$(python3 -c 'import sys; print(sys.executable)')
    export PYTHON
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
    report=$BATS_TEST_TMPDIR/stdout
}

read_form() { "$PYTHON" "$SOURCE_DIR/tests/cli/read_form.py" "$@"; }
valid_lines() { node "$VALIDATOR/validate_json.mjs" --lines "$SOURCE_DIR/include/report/$1.schema.json" "$report"; }
history() { "$DWCLEAN" "$1" --runs-dir "$runs" "${@:2}" </dev/null; }

# sound FORM OUTCOME: the last report is of that form, whole, tells this outcome and the status that was returned.
sound() {
    case $1 in
    ndjson)
        valid_lines events
        tail -n 1 "$report" | grep -q "\"event\": \"finished\",.*,\"outcome\": \"$2\",\"exit_status\": $status,"
        [ "$(grep -c '"event": "finished"' "$report")" = 1 ]
        refute grep -qP '[^\x20-\x7e]' "$report"
        ;;
    csv)
        [ "$(read_form csv "$report" run | head -n 1 | cut -f 1-3)" = "$(printf 'outcome\t%s\t%s' "$2" "$status")" ]
        ;;
    junit)
        xmllint --noout --schema "$SOURCE_DIR/tests/cli/junit.xsd" "$report"
        read_form junit "$report" | grep -q " $2 $status\$"
        ;;
    esac
    refute grep -qP '[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]' "$report"
}

# each OUTCOME STATUS COMMAND...: in every form.
each() {
    local form
    for form in ndjson csv junit; do
        status_of "${@:3}" --format "$form"
        [ "$status" = "$2" ]
        sound "$form" "$1"
    done
}

@test "the readers refuse what is not sound" {
    status_of verify --format junit
    cp "$report" "$BATS_TEST_TMPDIR/whole"
    for spoiled in 's/failures="2"/failures="1"/' 's/"exit_status" value="2"/"exit_status" value="0"/'; do
        sed "$spoiled" "$BATS_TEST_TMPDIR/whole" >"$report"
        refute cmp -s "$BATS_TEST_TMPDIR/whole" "$report"
        refute read_form junit "$report"
    done
    sed 's/classname="dwclean.run"//; s/D-ORG/D-ROWS/' "$BATS_TEST_TMPDIR/whole" >"$report"
    refute xmllint --noout --schema "$SOURCE_DIR/tests/cli/junit.xsd" "$report"
    printf 'environment,kind\r\na,=b\r\n' >"$report"
    refute read_form csv "$report"
    status_of verify --format ndjson
    sed -i 's/"event": "host"/"event": "hoax"/' "$report"
    refute valid_lines events
    printf '{"event": "finished"}' >"$report"
    refute valid_lines events
}

@test "the frozen reports hold to schema and readers" {
    golden=$SOURCE_DIR/fixtures/golden
    node "$VALIDATOR/validate_json.mjs" --lines "$SOURCE_DIR/include/report/events.schema.json" "$golden"/*.ndjson
    # every event of the schema is in one of them
    for event in $(node -e 'JSON.parse(require("fs").readFileSync(0)).oneOf.forEach((e) => console.log(e.$ref.slice(8)))' \
        <"$SOURCE_DIR/include/report/events.schema.json"); do
        [ "$event" = all_finished ] || grep -q "\"event\": \"$event\"" "$golden"/*.ndjson || { # fleet.bats has that one
            echo "no frozen report has the event $event"
            return 1
        }
    done
    for report in "$golden"/*.csv; do read_form csv "$report"; done
    for report in "$golden"/*.junit.xml; do
        xmllint --noout --schema "$SOURCE_DIR/tests/cli/junit.xsd" "$report"
        read_form junit "$report"
    done
}

@test "residue, of hostile rows" {
    each residue 2 verify
    [ "$(read_form junit "$report" dwclean.axdb A-ROWS)" = \
        "failure DUALWRITEPROJECTFIELDCONFIGURATION: 6 rows (and 2 more)" ]
    [[ "$(read_form junit "$report" dwclean.axdb A-URL)" == passed* ]]
    [[ "$(read_form junit "$report" dwclean.dataverse D-TRACE)" == skipped* ]]
    grep -q 'DualWrite\\u001b\[2J' "$report"
    refute grep -q '<b>DualWrite' "$report"
    status_of verify --format csv
    read_form csv "$report" channel | grep -qF '<b>DualWrite</b>'
    [ "$(read_form csv "$report" host | grep -F contoso-prod | cut -f 2,3)" = "$(printf 'other\t2')" ]
    status_of verify --format ndjson
    [ "$(grep '"event": "channel"' "$report" | tail -n 1 | json channel)" = "$(printf 'DualWrite\033[2J')" ]
}

@test "a formula in the database stays a text" {
    sql "UPDATE dbo.BUSINESSEVENTSDEFINITION SET CHANNEL = N'=cmd|'' /C calc''!A0' WHERE CHANNEL = N'<b>DualWrite</b>'"
    sql "UPDATE dbo.BUSINESSEVENTSDEFINITION SET CHANNEL = N']]></testcase>;=1' WHERE CHANNEL = N'DualWrite'"
    each residue 2 verify
    status_of verify --format csv
    read_form csv "$report" channel | grep -F "'=cmd|' /C calc'!A"
    read_form csv "$report" channel | grep -F "</testcase>;'="
}

@test "a dry run, a change, and the clean state after it" {
    each planned 0 clean --dry-run --channels all
    [ "$(read_form junit "$report")" = "1 0 0 0 planned 0" ]
    for form in ndjson csv junit; do
        fresh
        id=$(plan_id --channels all)
        status_of clean --maps-are-stopped --reason test --yes --plan-id "$id" --channels all --format "$form"
        [ "$status" = 0 ]
        sound "$form" "done"
    done
    [ "$(read_form junit "$report" dwclean.axdb A-ROWS)" = "passed " ]
    [ "$(read_form junit "$report" dwclean.run run)" = "passed " ]
    head -c 4 "$(newest_run)/report.txt" | grep -q DONE
    [ "$(json outcome <"$(newest_run)/report.json")" = "done" ]
    each clean 0 verify
    status_of confirmed axdb_write undo last
    [ "$status" = 0 ]
    each residue 2 verify
}

@test "an undo passes, though its rows are there again" {
    status_of clean_all --channels all
    [ "$status" = 0 ]
    id=$(axdb_write undo last --dry-run --format json | json plan_id)
    status_of axdb_write undo last --maps-are-stopped --reason test --yes --plan-id "$id" --format junit
    [ "$status" = 0 ]
    sound junit "done"
    [ "$(read_form junit "$report")" = "1 0 0 0 done 0" ]
}

@test "refused, no access, something missing" {
    each refused 4 clean
    [[ "$(read_form junit "$report" dwclean.run run)" == "error "* ]]
    each no-access 10 verify_axdb -S localhost,1
    [[ "$(read_form junit "$report" dwclean.axdb A-ROWS)" == "error "* ]]
    each missing 2 check -U nodelete
    each ready 0 check
}

@test "a purge that leaves a row" {
    for form in ndjson csv junit; do
        fresh
        id=$(plan_id --channels all)
        fault '{"at":"dv.delete","times":1,"do":"other","text":"changed-name"}'
        status_of clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id" --format "$form"
        [ "$status" = 3 ]
        sound "$form" partial
    done
    [[ "$(read_form junit "$report" dwclean.run run)" == "error "* ]]
}

@test "explain, with and without a target" {
    text="SecureConfig Organization (a) doesn't match actual CRM Organization (b)"
    each explained 0 "$DWCLEAN" explain "$text"
    [ "$(read_form junit "$report" dwclean.run run)" = "passed " ]
    mapfile -t t < <(dataverse_target)
    each residue 2 "$DWCLEAN" explain "$text" --dataverse-only "${t[@]}"
    each failed 1 "$DWCLEAN" explain "nothing of the kind"
}

@test "wrong use is reported in the form that was asked for" {
    each failed 64 verify -S ''
    [[ "$(read_form junit "$report" dwclean.run run)" == "error "* ]]
    for form in ndjson csv junit; do
        status_of "$DWCLEAN" verify --format "$form" --no-such-option
        [ "$status" = 64 ]
        sound "$form" failed
        DWCLEAN_FORMAT=$form status_of "$DWCLEAN" verify --no-such-option
        [ "$status" = 64 ]
        sound "$form" failed
        status_of history runs --runs-dir /dev/null/x --format "$form"
        [ "$status" != 0 ]
        sound "$form" failed
    done
    status_of verify --format yaml
    [ "$status" = 64 ]
    for form in text json ndjson csv junit; do says "$form"; done
    [ -z "$output" ]
}

@test "a report in a file" {
    status_of verify --format junit -o "$BATS_TEST_TMPDIR/report.xml"
    [ "$status" = 2 ]
    [ -z "$output" ]
    says "report in $BATS_TEST_TMPDIR/report.xml"
    read_form junit "$BATS_TEST_TMPDIR/report.xml" | grep -q "residue 2"
}

@test "runs and prune as lines and as cells; no other form is given instead" {
    status_of clean_all --channels all
    [ "$status" = 0 ]
    for command in runs "prune --older-than 0s --dry-run"; do
        status_of history $command --format ndjson
        [ "$status" = 0 ]
        valid_lines history_events
        [ "$(tail -n 1 "$report" | json event) $(tail -n 1 "$report" | json runs)" = "listed 1" ]
        [ "$(head -n 1 "$report" | json run)" = "$(basename "$(newest_run)")" ]
        status_of history $command --format csv
        [ "$status" = 0 ]
        [ "$(read_form csv "$report")" = 1 ]
        grep -q "^$(basename "$(newest_run)"),done," "$report"
        status_of history $command --format junit
        [ "$status" = 64 ]
        says "text, json, ndjson, csv"
        sound junit failed
    done
}

@test "documents that have two forms name them" {
    for command in "show last --runs-dir $runs" "env list" "env show"; do
        for form in ndjson csv junit; do
            status_of "$DWCLEAN" $command --format "$form"
            [ "$status" = 64 ]
            says "text, json"
            sound "$form" failed
        done
    done
    status_of "$DWCLEAN" show "$BATS_TEST_TMPDIR/none.plan" --statements --format json
    [ "$status" != 0 ]
    [ "$(json exit_status <<<"$output")" = "$status" ]
}
