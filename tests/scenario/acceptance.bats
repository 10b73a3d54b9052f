#!/usr/bin/env bats
# The situations that Microsoft's pages describe, end to end: report, exit status and what is left on the servers.
# Golden reports: fixtures/golden/scenario-*.{txt,json}, times, ports and paths masked; DWCLEAN_WRITE_GOLDENS=1 writes them anew.

setup() {
    load ../cli/support
    unset DWCLEAN_FORMAT DWCLEAN_RUNS_DIR
}

teardown() {
    [ -z "${sandbox_pid:-}" ] || stop_sandbox
}

begin() {
    start_sandbox "$BATS_TEST_TMPDIR/sandbox" "$@"
    export DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
    runs=$BATS_TEST_TMPDIR/runs
}

settings() { control -X PATCH --data "$1" /dataverse/settings; }

# rows_name ORGANIZATION: every runtime configuration names it, as JSON in JSON, beside a value that must not be shown.
rows_name() {
    local id
    for id in $(control /dataverse/rows | node -e \
        'JSON.parse(require("fs").readFileSync(0)).forEach(r => console.log(r.id))'); do
        control -X PATCH --data "{\"msdyn_unsecure\":\"{\\\"a\\\":\\\"{\\\\\\\"OrganizationName\\\\\\\":\\\\\\\"$1\\\\\\\",\\\\\\\"key\\\\\\\":\\\\\\\"SECRET-MARKER\\\\\\\"}\\\"}\"}" \
            "/dataverse/rows?set=msdyn_dualwriteruntimeconfigs&id=$id"
    done
}

# no_traces: plug-in traces came with no copy and are off.
no_traces() {
    local id
    for id in $(control '/dataverse/rows?set=plugintracelogs' | node -e \
        'JSON.parse(require("fs").readFileSync(0)).forEach(r => console.log(r.id))'); do
        control -X DELETE "/dataverse/rows?set=plugintracelogs&id=$id"
    done
    settings '{"tracing":false}'
}

# masked: a report without what differs from run to run.
masked() {
    sed -E -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,12}/YYYY-MM-DDTHH:MM:SS.mmm/g' \
        -e 's/took [0-9.]+ s/took N s/' -e 's/(localhost[:,])[0-9]+/\1PORT/g' \
        -e 's#/[^ ]*/runs/[^ /]*#RUNS/ID#g' -e 's/[0-9]{8}T[0-9]{6}Z-[a-z0-9-]+/ID/g' -e 's/\b[0-9a-f]{64}\b/PLAN-ID/g' \
        -e 's/(held|locked|locks) ([^0-9]*)[0-9.]+ (ms|s)\b/\1 \2N \3/' -e 's/dwclean [0-9]+\.[0-9]+\.[0-9]+/dwclean V/' \
        -e 's/[0-9]+(\.[0-9]+)? rows\/s/N rows\/s/' -e 's/[0-9]+ ms a row/N ms a row/' \
        -e 's/"(locked_ms|rows_per_minute|ms_per_row|throttled)": "[0-9]+"/"\1": "N"/' -e 's/[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}/FORK/' \
        -e '/"operator": \{/,/\}/ s/: ("[^"]*"|null)/: "OPERATOR"/' \
        -e '/6459f7a8/!s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/REQUEST-ID/g' <<<"$output"
}

# golden NAME: the report of the last status_of, byte by byte, in the form that it has; no marked value is in it.
golden() {
    local file=$SOURCE_DIR/fixtures/golden/scenario-$1.txt
    [[ "$output" != "{"* ]] || file=${file%.txt}.json
    refute says SECRET-MARKER
    [ -z "${DWCLEAN_WRITE_GOLDENS:-}" ] || masked >"$file"
    diff -u "$file" <(masked)
}

# golden_report NAME: the same of the report that the last run has left, as JSON.
golden_report() {
    output=$(cat "$(newest_run)/report.json")
    golden "$1"
}

# situations <REPORT: "P1 P2? ..." (? = likely).
situations() {
    node -e '
        const report = JSON.parse(require("fs").readFileSync(0));
        process.stdout.write(report.situations.map(s => s.id + (s.likely ? "?" : "")).join(" "));'
}

# verdict CHECK <REPORT: of the worst observation of a check, before.
verdict() {
    node -e '
        const order = ["differs", "unknown", "ok"];
        const seen = JSON.parse(require("fs").readFileSync(0)).before.checks
            .filter(o => o.check === process.argv[1]).map(o => o.verdict);
        process.stdout.write(order.find(v => seen.includes(v)) ?? "");' "$1"
}

# looked_after_the_purge: the last sign-in to AxDB came after the last row left Dataverse, and counts were read on it.
looked_after_the_purge() {
    control /log | node -e '
        const log = require("fs").readFileSync(0, "utf8").trim().split("\n").map(l => JSON.parse(l));
        const last = test => log.findLastIndex(test);
        const purged = last(e => e.kind === "row" && e.what === "deleted");
        const signedIn = last(e => e.kind === "login");
        const counted = last(e => e.kind === "batch" && e.sql.includes("COUNT") && e.session === log[signedIn].session);
        process.exit(purged >= 0 && purged < signedIn && signedIn < counted ? 0 : 1);'
}

# change COMMAND...: its dry run, then the change with that plan-id; the report of the run is in $report.
change() {
    status_of confirmed "$@"
    report=$(cat "$(newest_run)/report.json")
}

@test "A: finance and operations was restored over UAT: found, cleaned, proven" {
    begin scenario-a
    no_traces
    rows_name org6459f7a8
    status_of verify
    [ "$status" = 2 ]
    golden a
    status_of verify --format json
    golden a
    [ "$(json outcome <<<"$output")" = residue ]
    [[ " $(situations <<<"$output") " == *" P1 "* ]]
    [ "$(verdict A-URL <<<"$output")" = differs ]
    change both_write clean
    [ "$status" = 0 ]
    looked_after_the_purge
    golden a-done
    golden_report a-done
    [ "$(json outcome <<<"$report")" = done ]
    [ "$(json tables.0.deleted <<<"$report")" = "$(json tables.0.before <<<"$report")" ]
    [ "$(rows_left)" = "0 0 0 0" ]
    status_of verify
    [ "$status" = 0 ]
}

@test "B: Dataverse was restored: its rows go, those of AxDB stay" {
    begin own-host
    no_traces
    rows_name ProjOpsTest4
    before=$(rows_left)
    status_of verify
    [ "$status" = 2 ]
    golden b
    status_of verify --format json
    golden b
    [ "$(situations <<<"$output" | cut -d' ' -f1)" = P2 ]
    [ "$(verdict D-ROWS <<<"$output")" = differs ]
    change dataverse_write clean --dataverse-only
    [ "$status" = 0 ]
    [ "$(json outcome <<<"$report")" = done ]
    [ "$(rows_left)" = "${before% *} 0" ]
}

@test "C: change linking: with the statement that the own rows are meant" {
    begin own-host
    status_of clean --axdb-only --dry-run
    [ "$status" = 4 ]
    status_of clean --dry-run --rows-name-this-environment --reason "move to another organization"
    [ "$status" = 0 ]
    golden c
    status_of clean --dry-run --rows-name-this-environment --reason move --format json
    golden c
    [[ " $(situations <<<"$output") " == *" P3 "* ]]
    change clean --axdb-only --expect-dataverse-host "$own_host" --rows-name-this-environment --reason "move"
    [ "$status" = 0 ]
    [ "$(json outcome <<<"$report")" = done ]
    [ "$(rows_left)" = "0 0 0 2" ]
}

@test "D: the SecureConfig text, from the message to the proof that it is mended" {
    begin own-host
    no_traces
    rows_name ProjOpsTest4
    mapfile -t t < <(dataverse_target)
    text="SecureConfig Organization (ProjOpsTest4) doesn’t match actual CRM Organization (org6459f7a8)"
    status_of "$DWCLEAN" explain "$text" --dataverse-only "${t[@]}"
    [ "$status" = 2 ]
    golden d
    status_of "$DWCLEAN" explain "$text" --dataverse-only "${t[@]}" --format json
    golden d
    [ "$(json explained.0.confirmation <<<"$output")" = confirmed ]
    [ "$(json explained.0.configured <<<"$output")" = ProjOpsTest4 ]
    change dataverse_write clean --dataverse-only
    [ "$status" = 0 ]
    [ "$(json outcome <<<"$report")" = done ]
    [[ "$(rows_left)" == *" 0" ]]
    status_of "$DWCLEAN" explain "$text" --dataverse-only "${t[@]}" --format json
    [ "$status" = 0 ]
    [ "$(json explained.0.confirmation <<<"$output")" = undecided ]
}

@test "E: nobody said that the maps are stopped: refused" {
    begin small
    before=$(rows_left)
    id=$(plan_id)
    status_of clean --reason test --yes --plan-id "$id"
    [ "$status" = 4 ]
    golden e
    status_of clean --reason test --yes --plan-id "$id" --format json
    golden e
    [ "$(json outcome <<<"$output")" = refused ]
    [ "$(json changed <<<"$output")" = false ]
    says --maps-are-stopped
    [ "$(rows_left)" = "$before" ]
}

@test "F: with the statement and a reason: done, and on record" {
    begin small
    id=$(plan_id)
    status_of clean --maps-are-stopped --reason "CHG0042, maps stopped by J." --yes --plan-id "$id"
    [ "$status" = 0 ]
    golden f
    golden_report f
    run_dir=$(newest_run)
    [ "$(json outcome <"$run_dir/report.json")" = done ]
    [ "$(json reason <"$run_dir/report.json")" = "CHG0042, maps stopped by J." ]
    grep -q "maps" "$run_dir/journal.ndjson"
    grep -q "CHG0042" "$run_dir/run.json" "$run_dir/journal.ndjson"
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "G: rows name the target's own organization: refused, then with the override done" {
    begin own-host
    before=$(rows_left)
    status_of clean --dry-run
    [ "$status" = 4 ]
    golden g
    status_of clean --dry-run --format json
    golden g
    [ "$(json error.code <<<"$output")" = refused ]
    says "$own_host"
    [ "$(rows_left)" = "$before" ]
    change clean --rows-name-this-environment --reason "unlinked before"
    [ "$status" = 0 ]
    [ "$(json outcome <<<"$report")" = done ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "H: rows and integration name different environments: both are shown, and what Reset link replaces for good" {
    begin small
    before=$(rows_left)
    status_of verify
    [ "$status" = 2 ]
    golden h
    says contoso-prod
    says contoso-uat.sandbox.operations.dynamics.com
    status_of verify --format json
    golden h
    says "replaces the current one for good"
    [[ " $(situations <<<"$output") " == *" P4? "* ]]
    [ "$(verdict A-URL <<<"$output")" = differs ]
    [ "$(rows_left)" = "$before" ]
}

@test "I: the integration is blank: a finding of its own, and no network error" {
    begin small
    settings '{"fno_linked":false}'
    status_of verify
    [ "$status" = 2 ]
    golden i
    status_of verify --format json
    golden i
    says "Power Platform Environment ID"
    [ "$(json error.code <<<"$output")" = "" ]
    [[ " $(situations <<<"$output") " == *" P4? "* ]]
    status_of clean_all
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    status_of verify --expect post-relink --expect-fno-url https://contoso-uat.sandbox.operations.dynamics.com --format json
    [ "$status" = 2 ]
    [ "$(verdict D-LINK <<<"$output")" = differs ]
    [[ " $(situations <<<"$output") " == *" P9 "* ]]
}

@test "J: cloud-hosted, with a self-signed certificate: not without -C, and with it never silently" {
    begin small --certificate self-signed --dataverse-certificate good
    fno=https://contoso-dev123456789.axcloud.cloudax.dynamics.com
    cloud_hosted() {
        mapfile -t t < <(axdb_target; dataverse_target)
        [ "$1" = verify ] || t+=(--runs-dir "$runs")
        "$DWCLEAN" "$1" --class dev "${t[@]}" --expect-fno-url "$fno" "${@:2}" </dev/null
    }
    settings "{\"fno_url\":\"$fno\"}"
    no_traces
    status_of cloud_hosted verify --axdb-only --expect-dataverse-host "$own_host"
    [ "$status" = 10 ]
    says certificate
    status_of cloud_hosted verify -C
    [ "$status" = 2 ]
    golden j
    [[ "$stderr" == *"NOT checked"* ]]
    says "Scenario 4"
    status_of cloud_hosted verify -C --format json
    golden j
    grep -q "not checked" <<<"$output"
    # -C is about the SQL server alone: a Dataverse that nobody vouches for is not believed
    status_of cloud_hosted verify -C --cacert /etc/ssl/certs/ca-certificates.crt
    [ "$status" = 2 ]
    says "certificate"
    [ "$(rows_left)" != "0 0 0 0" ]
    status_of cloud_hosted clean -C --dry-run --cacert /etc/ssl/certs/ca-certificates.crt
    [ "$status" = 10 ]
    change cloud_hosted clean -C
    [ "$status" = 0 ]
    [ "$(json outcome <<<"$report")" = done ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "K: verification alone with a login that may only read: twice the same" {
    begin small
    before=$(rows_left)
    status_of verify -U reader
    [ "$status" = 2 ]
    golden k
    for i in 1 2; do
        status_of verify -U reader --format json
        [ "$status" = 2 ]
        masked | sed -E 's/"(started|ended|taken)": .*/"\1": TIME/' >"$BATS_TEST_TMPDIR/report.$i"
    done
    diff -u "$BATS_TEST_TMPDIR/report.1" "$BATS_TEST_TMPDIR/report.2"
    golden k
    [ "$(json outcome <<<"$output")" = residue ]
    refute logged 'DELETE FROM'
    refute logged '"method":"DELETE"'
    [ "$(rows_left)" = "$before" ]
    [ ! -e "$runs" ]
}

@test "L: Lifecycle Services warns of a mismatch: both ways out" {
    begin own-host
    settings '{"fno_url":"https://contoso-old.operations.dynamics.com"}'
    before=$(rows_left)
    fno=https://contoso-uat.sandbox.operations.dynamics.com
    status_of verify --expect post-relink --expect-fno-url "$fno"
    [ "$status" = 2 ]
    golden l
    status_of verify --expect post-relink --expect-fno-url "$fno" --format json
    golden l
    [ "$(verdict D-LINK <<<"$output")" = differs ]
    [[ " $(situations <<<"$output") " == *" P6 "* ]]
    says "Integration never set up"
    says "Else Reset link"
    # the same for a pipeline that shows tests
    status_of verify --expect post-relink --expect-fno-url "$fno" --format junit
    [ "$status" = 2 ]
    xmllint --noout --schema "$SOURCE_DIR/tests/cli/junit.xsd" "$BATS_TEST_TMPDIR/stdout"
    [[ "$(xmllint --xpath 'string(//testcase[@classname="dwclean.dataverse" and @name="D-LINK"]/failure/@message)' \
        "$BATS_TEST_TMPDIR/stdout")" == *contoso-old.operations.dynamics.com* ]]
    [ "$(rows_left)" = "$before" ]
}
