#!/usr/bin/env bats
# What monitoring and log collectors get: --nagios, --metrics-file, --log-format json, the journal.

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
    prom=$BATS_TEST_TMPDIR/dwclean.prom
}

# metric SERIES: its value, "" when it is absent, "unsound" where the file is none, also for promtool if there is one.
metric() {
    node "$BATS_TEST_DIRNAME/check_metrics.mjs" "$prom" "$1" || echo unsound
    if command -v promtool >/dev/null; then promtool check metrics <"$prom" >&2 || echo unsound; fi
}
of_verify='environment="",command="verify"'

# empty: no row left on either side.
empty() { clean_all >/dev/null 2>&1; [ "$(rows_left)" = "0 0 0 0" ]; }

# json_lines: every line of stderr is one object with what each must have; prints `select` of each.
json_lines() {
    node -e '
        const lines = require("fs").readFileSync(process.argv[1], "utf8").split("\n");
        if (lines.pop() !== "" || lines.length === 0) process.exit(1);
        for (const line of lines) {
            const object = JSON.parse(line);
            if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(object.time) || !object.level ||
                typeof object.message !== "string" || !object.command || !(object.pid > 0)) process.exit(2);
            console.log(String(object[process.argv[2]] ?? ""));
        }' "$BATS_TEST_TMPDIR/stderr" "$1"
}

# ---- --nagios

@test "nagios: residue is critical, one line with performance data" {
    status_of verify --nagios
    [ "$status" = 2 ]
    line=$(head -n 1 "$BATS_TEST_TMPDIR/stdout")
    grep -qE '^DWCLEAN CRITICAL - [^|]+ \| axdb_project_rows=34;;0;0 axdb_field_rows=34;;0;0 axdb_event_rows=958;;0;0 dataverse_rows=17;;0;0 seconds=[0-9]+\.[0-9]{3}s;;;0$' <<<"$line"
    # the bar stands once, before the performance data
    [ "$(tr -cd '|' <"$BATS_TEST_TMPDIR/stdout" | wc -c)" = 1 ]
    says 'A-ROWS differs: '
}

@test "nagios: clean is ok" {
    empty
    status_of verify --nagios
    [ "$status" = 0 ]
    grep -qE '^DWCLEAN OK - .* \| axdb_project_rows=0;;0;0 .* dataverse_rows=0;;0;0 seconds=' "$BATS_TEST_TMPDIR/stdout"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/stdout")" = 1 ]
}

@test "nagios: what is not known is U, and the status 3" {
    status_of verify_axdb -S localhost,1 --nagios
    [ "$status" = 3 ]
    grep -qE '^DWCLEAN UNKNOWN - .* \| axdb_project_rows=U axdb_field_rows=U axdb_event_rows=U seconds=[0-9.]+s;;;0$' "$BATS_TEST_TMPDIR/stdout"
    refute says dataverse_rows
    sql 'DROP TABLE dbo.BUSINESSEVENTSDEFINITION'
    empty_but_one='axdb_project_rows=34;;0;0 axdb_field_rows=34;;0;0 axdb_event_rows=U'
    status_of verify --nagios
    says "$empty_but_one"
}

@test "nagios: wrong use is unknown too, in one line" {
    for wrong in "--format json" "--bogus" "--lock-timeout 5parsecs" "--channel" "--env nobody"; do
        # shellcheck disable=SC2086
        status_of verify --nagios $wrong
        [ "$status" = 3 ]
        grep -q '^DWCLEAN UNKNOWN - ' "$BATS_TEST_TMPDIR/stdout"
        [ "$wrong" = --channel ] || status_of verify $wrong --nagios
        [ "$status" = 3 ]
    done
    status_of verify --nagios --format json
    says 'no --format json beside it'
    status_of "$DWCLEAN" clean --nagios
    [ "$status" = 3 ]
    says '--nagios is not an option of clean'
}

@test "nagios: a host with a bar in it does not begin the performance data" {
    sql "UPDATE dbo.DUALWRITEPROJECTCONFIGURATION SET EXTERNALENVIRONMENTURL = N'https://a|b=1.crm4.dynamics.com/'"
    status_of verify --nagios
    [ "$status" = 2 ]
    [ "$(tr -cd '|' <"$BATS_TEST_TMPDIR/stdout" | wc -c)" = 1 ]
    says '\x7c'
}

@test "nagios: a signal while connecting ends it with 3" {
    fault '{"at":"tds.login","times":0,"do":"freeze","arg":20000}'
    verify_axdb --nagios >"$BATS_TEST_TMPDIR/stdout" 2>&1 &
    pid=$!
    sleep 1
    pkill -TERM -P "$pid" -x dwclean || kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" = 3 ]
}

@test "nagios: a form that a variable asks for is for other calls" {
    export DWCLEAN_FORMAT=json
    status_of verify --nagios -o "$BATS_TEST_TMPDIR/report.json"
    [ "$status" = 2 ]
    grep -q '^DWCLEAN CRITICAL' "$BATS_TEST_TMPDIR/stdout"
    [ "$(json outcome <"$BATS_TEST_TMPDIR/report.json")" = residue ]
}

# ---- --metrics-file

@test "metrics: the check of the file refuses what is none" {
    printf '# HELP a b\n# TYPE a gauge\na{b="c"} 1\n' >"$prom"
    [ "$(metric 'a{b="c"}')" = 1 ]
    for wrong in 'a{b="c"} 1' '# HELP a b\n# TYPE a gauge\na{b="c"} 1\na{b="c"} 2' '# HELP a b\n# TYPE a gauge\na{b="c" 1'; do
        printf "$wrong\n" >"$prom"
        [[ $(metric 'a{b="c"}') == *unsound* ]]
    done
}

@test "metrics: residue, then clean: rows, checks, last success" {
    status_of verify --metrics-file "$prom"
    [ "$status" = 2 ]
    [ "$(stat -c %a "$prom")" = 644 ]
    [ "$(metric "dwclean_rows{$of_verify,table=\"BUSINESSEVENTSDEFINITION\"}")" = 958 ]
    [ "$(metric "dwclean_last_exit_status{$of_verify}")" = 2 ]
    [ "$(metric "dwclean_verified{$of_verify}")" = 0 ]
    [ "$(metric "dwclean_check{$of_verify,check=\"A-ROWS\",required=\"true\",verdict=\"differs\"}")" = 1 ]
    [ "$(metric "dwclean_check{$of_verify,check=\"A-ROWS\",required=\"true\",verdict=\"ok\"}")" = 0 ]
    [ -z "$(metric "dwclean_last_success_timestamp_seconds{$of_verify}")" ]
    [ "$(metric "dwclean_build_info{version=\"$("$DWCLEAN" version | sed -n 's/^dwclean //p')\"}")" = 1 ]
    status_of clean_all --metrics-file "$prom"
    [ "$status" = 0 ]
    of_clean='environment="",command="clean"'
    [ "$(metric "dwclean_verified{$of_clean}")" = 1 ]
    [ "$(metric "dwclean_rows{$of_clean,table=\"DUALWRITEPROJECTCONFIGURATION\"}")" = 0 ]
    cleaned=$(metric "dwclean_last_success_timestamp_seconds{$of_clean}")
    [ "$cleaned" = "$(metric "dwclean_last_run_timestamp_seconds{$of_clean}")" ]
    status_of verify --metrics-file "$prom"
    [ "$status" = 0 ]
    [ "$(metric "dwclean_verified{$of_verify}")" = 1 ]
    succeeded=$(metric "dwclean_last_success_timestamp_seconds{$of_verify}")
    [ -n "$succeeded" ]
    # of the other command there is its time, and nothing that may be old
    [ "$(metric "dwclean_last_success_timestamp_seconds{$of_clean}")" = "$cleaned" ]
    [ -z "$(metric "dwclean_verified{$of_clean}")" ]
    # a run that fails keeps the time and shows no rows
    status_of verify -S localhost,1 --dataverse-url https://localhost:1 --metrics-file "$prom"
    [ "$status" = 10 ]
    [ "$(metric "dwclean_last_success_timestamp_seconds{$of_verify}")" = "$succeeded" ]
    [ "$(metric "dwclean_rows_read_timestamp_seconds{$of_verify}")" = "$succeeded" ]
    [ "$(metric "dwclean_last_exit_status{$of_verify}")" = 10 ]
    refute grep -q '^dwclean_rows{' "$prom"
    [ "$(find "$BATS_TEST_TMPDIR" -name '*.prom*' | wc -l)" = 1 ]
}

@test "metrics: a run that never began has its exit status there" {
    status_of "$DWCLEAN" verify --metrics-file "$prom" --env nobody
    [ "$status" = 78 ]
    [ "$(metric 'dwclean_last_exit_status{environment="nobody",command="verify"}')" = 78 ]
}

@test "metrics: a dry run writes none" {
    status_of clean --dry-run --metrics-file "$prom"
    [ "$status" = 0 ]
    [ ! -e "$prom" ]
    says 'a dry run writes no metrics file'
}

@test "metrics: an old file that is not understood is said, and nothing is invented" {
    printf 'dwclean_last_success_timestamp_seconds{environment="",command="verify"} soon\n' >"$prom"
    status_of verify --metrics-file "$prom"
    [ "$status" = 2 ]
    says 'when a run last succeeded is not known'
    [ -z "$(metric "dwclean_last_success_timestamp_seconds{$of_verify}")" ]
    # half a file
    printf 'dwclean_last_success_timestamp_seconds{environment="",command="verify"} 17' >"$prom"
    status_of verify --metrics-file "$prom"
    says 'when a run last succeeded is not known'
}

@test "metrics: what cannot be written is a warning and changes no status" {
    for bad in "$BATS_TEST_TMPDIR/no/such/dwclean.prom" /dev/null "$BATS_TEST_TMPDIR"; do
        status_of verify --metrics-file "$bad"
        [ "$status" = 2 ]
        says 'warning: the metrics file is not written'
    done
    [ -c /dev/null ]
    status_of verify --metrics-file "$BATS_TEST_TMPDIR/metrics.txt"
    says 'does not end in .prom'
    [ -s "$BATS_TEST_TMPDIR/metrics.txt" ]
}

@test "metrics: the name of an environment is a label; file and form of the log come from the configuration" {
    printf '[defaults]\nlog_format = json\nmetrics_file = %s\n[env "uat"]\nclass = sandbox\nserver = %s\ndatabase = AxDB\n' \
        "$prom" "localhost,$SANDBOX_TDS_PORT" >"$BATS_TEST_TMPDIR/config.ini"
    chmod 600 "$BATS_TEST_TMPDIR/config.ini"
    verify_uat() {
        "$DWCLEAN" verify --axdb-only --config "$BATS_TEST_TMPDIR/config.ini" --env uat -U dwclean --cacert "$SANDBOX_CA" -v "$@" </dev/null
    }
    status_of verify_uat
    [ "$status" = 2 ]
    [ "$(metric 'dwclean_rows{environment="uat",command="verify",table="DUALWRITEPROJECTCONFIGURATION"}')" = 34 ]
    [ "$(json_lines environment | sort -u)" = uat ]
    DWCLEAN_METRICS_FILE=$BATS_TEST_TMPDIR/other.prom DWCLEAN_LOG_FORMAT=text status_of verify_uat
    [ "$status" = 2 ]
    [ -s "$BATS_TEST_TMPDIR/other.prom" ]
    grep -q '^dwclean: ' "$BATS_TEST_TMPDIR/stderr"
}

# ---- the log

@test "log-format json: every line of a change is an object, with the run once it has a name" {
    id=$(plan_id)
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id" -v --log-format json
    [ "$status" = 0 ]
    json_lines level >"$BATS_TEST_TMPDIR/levels"
    grep -q debug "$BATS_TEST_TMPDIR/levels"
    [ "$(json_lines run_id | tail -n 1)" = "$(basename "$(ls -d "$runs"/2*)")" ]
    [ "$(json_lines command | sort -u)" = clean ]
}

@test "log-format json: an error has detail, hint, code and status as members" {
    status_of verify_axdb -S localhost,1 --log-format json
    [ "$status" = 10 ]
    [ "$(json_lines code | tail -n 1)" = connect ]
    [ "$(json_lines exit_status | tail -n 1)" = 10 ]
    json_lines detail | tail -n 1 | grep -q .
    DWCLEAN_LOG_FORMAT=json status_of verify --bogus
    [ "$status" = 64 ]
    [ "$(json_lines code)" = usage ]
    json_lines hint | grep -q .
    status_of verify --log-format xml
    [ "$status" = 64 ]
}

@test "log-format json: what is told of an export to stdout is in objects too" {
    clean_all >/dev/null 2>&1
    "$DWCLEAN" export last --sql --out - --runs-dir "$runs" --log-format json >/dev/null 2>"$BATS_TEST_TMPDIR/stderr"
    json_lines message | grep -q '^Undo script of run '
}

@test "the journal gets priorities, anything else does not" {
    log=$BATS_TEST_TMPDIR/journal
    : >"$log"
    export JOURNAL_STREAM
    JOURNAL_STREAM=$(stat -c %d:%i "$log")
    status=0
    verify_axdb -S localhost,1 -v --color always >/dev/null 2>"$log" || status=$?
    cat "$log"
    [ "$status" = 10 ]
    grep -q '^<3>dwclean: error: ' "$log"
    refute grep -qvE '^<[3-7]>' "$log"
    refute grep -q $'\x1b' "$log"
    status_of verify_axdb -S localhost,1 -v
    refute grep -q '^<' "$BATS_TEST_TMPDIR/stderr"
}
