#!/usr/bin/env bats
# Several environments at once: one report, the worst status. A slow, dead or crashing one costs itself alone.

setup_file() {
    load support
    boot scenario-a
    start_sandbox "$BATS_FILE_TMPDIR/clean" clean
    start_sandbox "$BATS_FILE_TMPDIR/frozen" clean
    control -X POST --data '{"at":"tds.prelogin","times":0,"do":"freeze"}' /faults
    export VALIDATOR=$BATS_FILE_TMPDIR/validator
    mkdir "$VALIDATOR"
    cp "$BATS_TEST_DIRNAME"/{package.json,package-lock.json,.npmrc,validate_json.mjs} "$VALIDATOR"
    (cd "$VALIDATOR" && npm ci >npm.log 2>&1) || cat "$VALIDATOR/npm.log" >&2
}

teardown_file() {
    load support
    halt
    SANDBOX_ENV=$BATS_FILE_TMPDIR/clean/env halt
    SANDBOX_ENV=$BATS_FILE_TMPDIR/frozen/env halt
}

setup() {
    load support
    use_sandbox
    fresh
    unset DWCLEAN_PASSWORD DWCLEAN_CLIENT_SECRET
    ini=$BATS_TEST_TMPDIR/config.ini
    echo 'Sandbox-Passw0rd!' >"$BATS_TEST_TMPDIR/password"
    echo 'NO-PASSW0RD' >"$BATS_TEST_TMPDIR/wrong"
    chmod 600 "$BATS_TEST_TMPDIR"/{password,wrong}
    parent=
}

teardown() {
    [ -z "$parent" ] || kill -KILL "$parent" 2>/dev/null || true
}

# environment NAME SANDBOX [LINE...]: a section for that sandbox, and more lines.
environment() {
    (
        . "$BATS_FILE_TMPDIR/$2/env"
        echo "$SANDBOX_CLIENT_SECRET" >"$BATS_TEST_TMPDIR/$2.secret"
        chmod 600 "$BATS_TEST_TMPDIR/$2.secret"
        cat <<END
[env "$1"]
class = sandbox
server = localhost,$SANDBOX_TDS_PORT
database = AxDB
user = dwclean
dataverse_url = $SANDBOX_DATAVERSE_URL
tenant_id = $SANDBOX_TENANT
client_id = $SANDBOX_CLIENT_ID
client_secret_file = $BATS_TEST_TMPDIR/$2.secret
allow_host = localhost
cacert = $SANDBOX_CA
END
        grep -q password <<<"${*:3}" || echo "password_file = $BATS_TEST_TMPDIR/password"
        [ $# -lt 3 ] || printf '%s\n' "${@:3}"
    ) >>"$ini"
}

# dead NAME: nobody listens there.
dead() { environment "$1" clean; sed -i "/^\[env \"$1\"\]/,\$ { s/^server = .*/server = localhost,1/; s/^dataverse_url = .*/dataverse_url = https:\/\/localhost:1/ }" "$ini"; }

fleet() { "$DWCLEAN" verify --config "$ini" "$@" </dev/null; }

# one NAME PATH: of the report in JSON.
one() {
    node -e '
        const found = JSON.parse(require("fs").readFileSync(process.argv[1])).environments.find(e => e.environment === process.argv[2]);
        const value = process.argv[3].split(".").reduce((o, k) => (o === undefined || o === null ? o : o[k]), found);
        process.stdout.write(value === undefined || value === null ? "" : String(value));' "$BATS_TEST_TMPDIR/stdout" "$@"
}

# valid: the JSON of the last status_of, and each report in it, is as its schema says.
valid() {
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/fleet.schema.json" "$BATS_TEST_TMPDIR/stdout"
    rm -rf "$BATS_TEST_TMPDIR/reports"
    mkdir "$BATS_TEST_TMPDIR/reports"
    node -e '
        for (const [i, e] of JSON.parse(require("fs").readFileSync(process.argv[1])).environments.entries())
            if (e.report) require("fs").writeFileSync(`${process.argv[2]}/${i}.json`, JSON.stringify(e.report));' \
        "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/reports"
    [ -z "$(ls "$BATS_TEST_TMPDIR/reports")" ] ||
        node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/outcome.schema.json" "$BATS_TEST_TMPDIR"/reports/*.json
}

# within SECONDS COMMAND...: until it succeeds.
within() {
    local left=$(($1 * 20))
    until "${@:2}"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.05
    done
}

# children: of $parent; gone PID...: none of them is a process that runs.
children() { pgrep -P "$parent" || true; }
# left N: so many processes hang, and the others, which begin at once, have ended.
left() {
    sleep 0.5
    within 10 has_children "$1"
}
has_children() { [ "$(children | wc -l)" -eq "$1" ]; }
gone() {
    local pid
    for pid in "$@"; do
        case $(ps -o stat= -p "$pid" 2>/dev/null) in '' | Z*) ;; *) return 1 ;; esac
    done
}

# begin [option...]: the command in the background, as $parent; ended: waits for it.
begin() {
    env --default-signal=INT,HUP,TERM "$DWCLEAN" verify --config "$ini" "$@" \
        </dev/null >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
    parent=$!
}
ended() {
    status=0
    wait "$parent" || status=$?
    parent=
    output=$(cat "$BATS_TEST_TMPDIR/stdout")
    echo "status $status"
    echo "$output"
    cat "$BATS_TEST_TMPDIR/stderr"
}

@test "every environment is looked at, and the report has the worst status" {
    environment uat sandbox
    environment test clean
    dead gone
    environment locked clean "password_file = $BATS_TEST_TMPDIR/wrong"
    status_of fleet --all
    [ "$status" = 2 ]
    [[ "$output" == "RESIDUE  1 of 4 environments is clean; 1 residue, 2 no-access"* ]]
    grep -Eq '^  uat +sandbox +RESIDUE +1026 +17 +[0-9.]+ +2$' <<<"$output"
    grep -Eq '^  test +sandbox +CLEAN +0 +0 +[0-9.]+ +0$' <<<"$output"
    grep -Eq '^  gone +sandbox +NO-ACCESS +- +- +[0-9.]+ +10$' <<<"$output"
    grep -Eq '^  locked +sandbox +NO-ACCESS +- +0 +[0-9.]+ +12$' <<<"$output"
    # the worst first, then the others; nothing of what is clean
    [ "$(grep -oE '^[a-z]+  [A-Z-]+  exit status [0-9]+' <<<"$output")" = "uat  RESIDUE  exit status 2
locked  NO-ACCESS  exit status 12
gone  NO-ACCESS  exit status 10" ]
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"alone dwclean verify --config $ini --env locked"* ]]
    says "contoso-prod.crm4.dynamics.com"
    grep -q '^locked: dwclean: error: ' "$BATS_TEST_TMPDIR/stderr"
    refute grep -Evq '^(gone|locked): ' "$BATS_TEST_TMPDIR/stderr"
    # every line fits
    refute grep -Eq '^.{81}' "$BATS_TEST_TMPDIR/stdout"
}

@test "JSON has the summary and the whole report of each, after the published schema" {
    environment uat sandbox
    environment test clean
    dead gone
    status_of fleet --env test --env uat --format json
    [ "$status" = 2 ]
    valid
    [ "$(json environments.0.environment <<<"$output")" = test ]
    [ "$(json counts.residue <<<"$output") $(json counts.clean <<<"$output") $(json counts.failed <<<"$output")" = "1 1 0" ]
    [ "$(one uat report.exit_status)" = 2 ]
    [ "$(one uat report.environment)" = uat ]
    [ "$(one uat axdb_rows) $(one uat dataverse_rows)" = "1026 17" ]
    # as the command for it alone says it
    cp "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/several"
    status_of fleet --env uat --format json
    node -e '
        const fs = require("fs"), times = (k, v) => (["started", "ended", "taken"].includes(k) ? 0 : v);
        const several = JSON.parse(fs.readFileSync(process.argv[1]), times).environments[1].report;
        require("assert").deepStrictEqual(several, JSON.parse(fs.readFileSync(process.argv[2]), times));' \
        "$BATS_TEST_TMPDIR/several" "$BATS_TEST_TMPDIR/stdout"
    status_of fleet --env gone --env test --format json
    [ "$status" = 10 ]
    [ "$(json outcome <<<"$output")" = no-access ]
}

@test "all clean is 0; -o takes the report, and stderr says how it came out" {
    environment one clean
    environment two clean
    status_of fleet --all -o "$BATS_TEST_TMPDIR/report.txt"
    [ "$status" = 0 ]
    [ -z "$output" ]
    [ "$stderr" = "dwclean: CLEAN  2 of 2 environments are clean; report in $BATS_TEST_TMPDIR/report.txt" ]
    grep -q '^CLEAN  2 of 2' "$BATS_TEST_TMPDIR/report.txt"
}

@test "check looks at several too" {
    environment one clean
    environment two clean
    sed -i '/^\[env "two"\]/,$ s/^user = .*/user = nothing/' "$ini"
    status_of "$DWCLEAN" check --config "$ini" --all --runs-dir "$BATS_TEST_TMPDIR" --format json </dev/null
    valid
    [ "$(json command <<<"$output")" = check ]
    [ "$(one one outcome)" = ready ]
    [ "$status" != 0 ]
    [ "$(one two exit_status)" = "$status" ]
}

@test "one that hangs ends at its deadline and holds up no other one" {
    environment stuck frozen
    environment uat sandbox
    environment test clean
    began=$(date +%s%N)
    status_of fleet --all --deadline 2s --jobs 2 --format json
    took=$((($(date +%s%N) - began) / 1000000))
    echo "# three environments, one of them frozen, --deadline 2s: $took ms" >&3
    [ "$status" = 2 ]
    [ "$took" -ge 2000 ]
    [ "$took" -lt 8000 ]
    valid
    [ "$(one stuck exit_status) $(one stuck outcome) $(one stuck answered)" = "10 no-access false" ]
    says "no result within the deadline of 2s"
    [ "$(one uat exit_status) $(one test exit_status)" = "2 0" ]
    [ "$(one test duration_ms)" -lt 2000 ]
}

@test "its own timeouts give an environment its deadline" {
    environment quick clean "login_timeout = 2" "query_timeout = 3"
    environment usual clean
    status_of fleet --all --format json
    [ "$(one quick deadline_ms) $(one usual deadline_ms)" = "16000 300000" ]
    status_of fleet --all --format json -l 1 -t 1
    [ "$(one quick deadline_ms) $(one usual deadline_ms)" = "6000 6000" ]
}

@test "a process that is stopped, and listens to no signal, is ended at the deadline" {
    environment stuck frozen
    environment test clean
    begin --all --deadline 2s --format json
    left 1
    local child
    child=$(children)
    kill -STOP "$child"
    ended
    [ "$status" = 10 ]
    gone "$child"
    [ "$(one test exit_status)" = 0 ]
}

@test "a process that crashes costs its own environment: 1, and nothing of it is believed" {
    environment stuck frozen
    environment test clean
    for signal in KILL SEGV; do
        begin --all --format json
        left 1
        kill -"$signal" "$(children)"
        ended
        [ "$status" = 1 ]
        [ "$(one stuck exit_status) $(one stuck outcome) $(one stuck answered)" = "1 failed false" ]
        [ "$(one test exit_status) $(one test answered)" = "0 true" ]
    done
}

@test "a stop signal ends every process, and the report says what is known" {
    environment stuck frozen
    environment also frozen
    environment test clean
    environment later clean
    for signal in INT TERM HUP; do
        begin --all --jobs 3 --format json
        left 2
        local before
        before=$(children)
        kill -"$signal" "$parent"
        began=$(date +%s%N)
        ended
        [ $((($(date +%s%N) - began) / 1000000)) -lt 5000 ]
        case $signal in INT) [ "$status" = 130 ] ;; TERM) [ "$status" = 143 ] ;; HUP) [ "$status" = 129 ] ;; esac
        # shellcheck disable=SC2086
        gone $before
        [ "$(json outcome <<<"$output")" = interrupted ]
        [ "$(one test outcome) $(one stuck outcome) $(one stuck exit_status)" = "clean interrupted $status" ]
    done
    valid
    # one that had not begun
    begin --env stuck --env test --jobs 1 --format json
    left 1
    kill -TERM "$parent"
    ended
    [ "$status" = 143 ]
    [ "$(one test outcome)" = interrupted ]
}

@test "nothing is left when the process above is killed" {
    environment stuck frozen
    environment also frozen
    begin --all
    left 2
    local before
    before=$(children)
    kill -KILL "$parent"
    ended
    [ "$status" = 137 ]
    # shellcheck disable=SC2086
    within 5 gone $before
}

@test "many environments: never more at once than --jobs says" {
    cat >"$BATS_TEST_TMPDIR/give" <<'END'
#!/bin/sh
echo + >>"$1"
sleep 0.1
echo - >>"$1"
echo 'Sandbox-Passw0rd!'
END
    chmod 700 "$BATS_TEST_TMPDIR/give"
    for i in $(seq 20); do
        environment "env$i" "$([ $((i % 5)) = 0 ] && echo sandbox || echo clean)" \
            "password_command = $BATS_TEST_TMPDIR/give $BATS_TEST_TMPDIR/marks"
    done
    for jobs in 1 4; do
        : >"$BATS_TEST_TMPDIR/marks"
        status_of fleet --all --jobs "$jobs" --format json
        [ "$status" = 2 ]
        [ "$(json counts.clean <<<"$output") $(json counts.residue <<<"$output")" = "16 4" ]
        [ "$(json environments.19.environment <<<"$output")" = env20 ]
        most=$(awk '$1 == "+" { if (++n > most) most = n } $1 == "-" { n-- } END { print most + 0 }' "$BATS_TEST_TMPDIR/marks")
        echo "# 20 environments, --jobs $jobs: $(json duration_ms <<<"$output") ms, at most $most at once" >&3
        [ "$most" -le "$jobs" ]
        [ "$jobs" = 1 ] || [ "$most" -gt 1 ]
        eval "took_$jobs=$(json duration_ms <<<"$output")"
    done
    # 20 waits of 0.1 s one after another, and in five turns
    [ "$took_4" -lt "$took_1" ]
    # where there are fewer descriptors than --jobs would want, the rest waits for its turn
    status_of bash -c "ulimit -n 20; '$DWCLEAN' verify --config '$ini' --all --jobs 20 --format json"
    [ "$status" = 2 ]
    [ "$(json counts.clean <<<"$output") $(json counts.residue <<<"$output")" = "16 4" ]
}

@test "secrets: each process has its own alone, nobody asks, and none is told" {
    cat >"$BATS_TEST_TMPDIR/give" <<'END'
#!/bin/sh
tr '\0' '\n' </proc/self/environ >"$1"
ls -l "/proc/$PPID/fd" >"$1.fd"
tr '\0' '\n' <"/proc/$PPID/environ" >"$1.parent"
echo 'Sandbox-Passw0rd!'
END
    chmod 700 "$BATS_TEST_TMPDIR/give"
    environment asks clean "password_command = $BATS_TEST_TMPDIR/give $BATS_TEST_TMPDIR/seen"
    environment wrong clean "password_file = $BATS_TEST_TMPDIR/wrong"
    environment none clean "password_command = /nonexistent"
    sed -i '/^password_command = .nonexistent/d' "$ini"
    export DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
    status_of fleet --all -v --format json
    [ "$(one asks exit_status)" = 0 ]
    [ "$(one wrong exit_status)" = 12 ]
    [ "$(one none exit_status)" = 78 ]
    says "no password for login dwclean"
    # 78 of one environment counts as failed
    [ "$status" = 1 ]
    says "variable DWCLEAN_CLIENT_SECRET holds for every environment"
    refute grep -Eq "$SANDBOX_CLIENT_SECRET|Passw0rd|NO-PASSW0RD" "$BATS_TEST_TMPDIR"/{seen,seen.parent,stdout,stderr}
    # 0, 1, 2, its own pipe, what reads the command's output, and what it has opened itself; no pipe of another one
    echo "$(cat "$BATS_TEST_TMPDIR/seen.fd")"
    [ "$(grep -c 'pipe:' "$BATS_TEST_TMPDIR/seen.fd")" -le 4 ]
}

@test "what cannot be meant of several is refused before anything begins" {
    environment uat sandbox
    environment test clean
    for words in "--all --env uat" "--env uat --env uat" "--all -S other" "--all -d AxDB" "--all --class sandbox" \
        "--all --dataverse-url https://x.crm.dynamics.com" "--env uat --env test --expect-dataverse-host x" \
        "--all --restored-at 2026-11-20" "--env uat --jobs 2" "--env uat --deadline 5s" "--all --jobs 0" "--all --jobs 65" \
        "--all --deadline 0" "--all --tenant-id x" "--all --connection-string-file x"; do
        # shellcheck disable=SC2086
        status_of fleet $words
        [ "$status" = 64 ]
        [ -z "$output" ]
    done
    for command in "clean --dry-run --class sandbox" plan runs "explain text" "env test" "prune --older-than 1d"; do
        # shellcheck disable=SC2086
        status_of "$DWCLEAN" $command --config "$ini" --env uat --env test </dev/null
        [ "$status" = 64 ]
        says "is about one environment"
    done
    status_of "$DWCLEAN" clean --all --config "$ini"
    [ "$status" = 64 ]
    DWCLEAN_SERVER=other status_of fleet --all
    [ "$status" = 78 ]
    says "variable DWCLEAN_SERVER"
    status_of fleet --env uat --env typo
    [ "$status" = 78 ]
    says 'has no [env "typo"]'
    refute logged .
}

@test "no environment, or no file, is a fault of the configuration" {
    printf '[defaults]\nuser = dwclean\n' >"$ini"
    status_of fleet --all
    [ "$status" = 78 ]
    says "has no environment"
    HOME=$BATS_TEST_TMPDIR status_of "$DWCLEAN" verify --all
    [ "$status" = 78 ]
    says "there is no configuration file"
    status_of fleet --all --format json
    [ "$status" = 78 ]
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/outcome.schema.json" "$BATS_TEST_TMPDIR/stdout"
}

@test "narrow terminals get a narrow table" {
    environment uat sandbox
    environment a-rather-long-name clean
    status_of script -qec "stty cols 60; '$DWCLEAN' verify --config '$ini' --all 2>'$BATS_TEST_TMPDIR/progress'" /dev/null
    tr -d '\r' <"$BATS_TEST_TMPDIR/stdout" | grep -v 'config.ini' >"$BATS_TEST_TMPDIR/narrow"
    grep -Eq '^  a-rather-long-name +CLEAN +0 +0 ' "$BATS_TEST_TMPDIR/narrow"
    refute grep -Eq '^.{61}' "$BATS_TEST_TMPDIR/narrow"
}

@test "every other form holds all environments, and readers take it" {
    environment uat sandbox
    environment one clean
    dead gone
    report=$BATS_TEST_TMPDIR/report
    for form in ndjson csv junit html; do
        status_of fleet --env uat --env gone --env one --format "$form" -o "$report.$form"
        [ "$status" = 2 ]
    done
    node "$VALIDATOR/validate_json.mjs" --lines "$SOURCE_DIR/include/report/events.schema.json" "$report.ndjson"
    [ "$(grep -c '"event": "finished"' "$report.ndjson")" = 3 ]
    tail -n 1 "$report.ndjson" | grep -q '"event": "all_finished".*"exit_status": 2.*"environments": 3'
    python3 "$BATS_TEST_DIRNAME/read_form.py" csv "$report.csv" >"$BATS_TEST_TMPDIR/facts"
    [ "$(grep -c '^environment,' "$report.csv")" = 1 ]
    for name in uat gone one; do grep -q "^$name," "$report.csv"; done
    xmllint --noout --schema "$SOURCE_DIR/tests/cli/junit.xsd" "$report.junit"
    [ "$(grep -c '<testsuite ' "$report.junit")" = 3 ]
    xmllint --noout "$report.html"
    [ "$(grep -c '<article' "$report.html")" = 3 ]
    # ids are of one article each
    [ -z "$(grep -o ' id="[^"]*"' "$report.html" | sort | uniq -d)" ]
    grep -q '1 of 3 environments' "$report.html"
}

@test "--nagios of several: one line, the worst status, rows of each" {
    environment uat sandbox
    environment one clean
    dead gone
    status_of fleet --env one --nagios
    [ "$status" = 0 ]
    [[ "$output" == "DWCLEAN OK - "* ]]
    status_of fleet --env one --env uat --nagios
    [ "$status" = 2 ]
    [[ "$output" == "DWCLEAN CRITICAL - 1 of 2 environments"* ]]
    first=${output%%$'\n'*}
    [[ "$first" == *" 'one dataverse_rows'=0;;0;0 "* ]]
    [[ "$first" == *" 'uat dataverse_rows'=17;;0;0 "* ]]
    status_of fleet --env one --env gone --nagios
    [ "$status" = 3 ]
    [[ "$output" == "DWCLEAN UNKNOWN - "* ]]
    [[ "$output" == *"'gone dataverse_rows'=U "* ]]
    [[ "$output" == *$'\n'"gone: "* ]]
}

@test "--metrics-file of several is one file, written by the process above alone" {
    environment uat sandbox
    environment one clean
    dead gone
    metrics=$BATS_TEST_TMPDIR/dwclean.prom
    status_of fleet --all --metrics-file "$metrics"
    [ "$status" = 2 ]
    node "$BATS_TEST_DIRNAME/check_metrics.mjs" "$metrics"
    grep -q 'dwclean_verified{environment="one",command="verify"} 1' "$metrics"
    grep -q 'dwclean_verified{environment="uat",command="verify"} 0' "$metrics"
    grep -q 'dwclean_last_exit_status{environment="gone",command="verify"} 10' "$metrics"
    grep -q 'dwclean_rows{environment="uat",command="verify",table="msdyn_dualwriteruntimeconfig"} 17' "$metrics"
    refute grep -q 'dwclean_rows{environment="gone"' "$metrics"
}

@test "annotations of several name each environment that is not clean, once" {
    environment uat sandbox
    environment one clean
    export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$BATS_TEST_TMPDIR/summary.md
    status_of fleet --env uat --env one
    [ "$(grep -c '^::' <<<"$stderr")" = 1 ]
    [[ "$stderr" == *"uat"* ]]
    [ "$(grep -c '^#' "$GITHUB_STEP_SUMMARY")" = 2 ]
}

@test "JSON logs of several are objects, each with its environment" {
    environment uat sandbox
    dead gone
    status_of fleet --env uat --env gone --log-format json -v
    node -e '
        const names = new Set(require("fs").readFileSync(0, "utf8").trim().split("\n").map(l => JSON.parse(l).environment));
        require("assert")(names.has("uat") && names.has("gone"));' <<<"$stderr"
}
