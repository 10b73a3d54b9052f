#!/usr/bin/env bats
# What a server says, and what its catalog calls things, is text: in a terminal, a report, a pipeline's log, and in T-SQL.
# The same of rows: html.bats, forms.bats, report.bats, monitoring.bats.

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
    cd "$BATS_TEST_TMPDIR"
    mkdir told
}

teardown() {
    [ -z "${other_pid:-}" ] || kill "$other_pid"
}

# hostile: for a JSON string. Escapes of terminals (C0, C1, reversed text), commands of two pipelines at the begin of a line, a
# formula, markup, the end of CDATA, a quote with a member, what ends the text of a Nagios plug-in.
hostile='\r\n::error::owned\n##vso[task.complete result=Succeeded;]\n=cmd|\u0027/C calc\u0027!A0 <script>alert(1)</script> ]]> \",\"outcome\":\"clean \u001b]0;owned\u0007 \u001b[2J \u009b2J \u202egnp | rows=0 [x](javascript:1) `x`\n'

# harmless FILE...: no byte that a terminal obeys, no line that a pipeline obeys but our own.
harmless() {
    refute grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]' "$@"
    refute grep -aE '^(dwclean: )?::error::owned|^##vso\[task\.complete' "$@"
    refute grep -aE '^=cmd' "$@"
}

# in_every_form STATUS COMMAND...: that status in each, and each is what its readers take it for.
in_every_form() {
    local form
    for form in text json ndjson csv junit html; do
        status_of "${@:2}" --format "$form" -v
        [ "$status" = "$1" ]
        cp stdout "told/report.$form"
        cp stderr "told/stderr.$form"
        # CSV ends its lines as RFC 4180 says
        [ "$form" != csv ] || sed -i 's/\r$//' "told/report.$form"
    done
    cp told/report.csv told/csv
    sed -i 's/$/\r/' told/csv
    node -e 'const o = JSON.parse(require("fs").readFileSync("told/report.json"));
        require("assert").strictEqual(o.exit_status, Number(process.argv[1])); require("assert").notStrictEqual(o.outcome, "clean");' "$1"
    node -e 'for (const l of require("fs").readFileSync("told/report.ndjson", "utf8").trim().split("\n")) JSON.parse(l);'
    python3 "$BATS_TEST_DIRNAME/read_form.py" csv told/csv >facts
    rm told/csv
    xmllint --noout --nonet --schema "$SOURCE_DIR/tests/cli/junit.xsd" told/report.junit
    xmllint --noout --nonet told/report.html
    refute grep -qE '<script|javascript:[^<]*"' told/report.html
    status_of "${@:2}" --log-format json
    [ "$status" = "$1" ]
    node -e 'for (const l of require("fs").readFileSync("stderr", "utf8").trim().split("\n")) JSON.parse(l);'
    cp stderr told/stderr.log
    harmless told/*
}

# for_machines COMMAND...: the line for Nagios, the file for Prometheus, the annotations of two pipelines and a summary.
for_machines() {
    status_of "$@" --nagios
    [ "$status" = 3 ]
    cp stdout told/nagios
    [ "$(head -n 1 stdout | tr -cd '|' | wc -c)" -le 1 ]
    refute grep -q 'rows=0' <(head -n 1 stdout | sed 's/.*|//')
    status_of "$@" --metrics-file "$PWD/told/metrics.prom"
    node "$BATS_TEST_DIRNAME/check_metrics.mjs" told/metrics.prom
    GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/told/summary.md status_of "$@"
    cp stderr told/github
    grep -qE '^::error title=dwclean verify%3A' stderr
    refute grep -qvE '^::(error|warning) title=dwclean verify%3A [A-Z-]+::' <(grep '^::' stderr)
    TF_BUILD=True status_of "$@"
    cp stderr told/azure
    grep -qE '^##vso\[task\.logissue type=error' stderr
    # what it looks for, it looks for in every line
    refute grep -q '##vso\[task\.complete' stdout stderr
    refute grep -qE '\(javascript:1\)' told/summary.md
    refute grep -qE '<script' told/summary.md
    harmless told/nagios told/metrics.prom told/github told/azure told/summary.md
}

look() { verify_axdb --expect-dataverse-host "$own_host" "$@"; }

@test "a message of AxDB at the sign-in" {
    fault "{\"at\":\"tds.login\",\"times\":0,\"do\":\"error\",\"arg\":4060,\"text\":\"Cannot open it. $hostile\"}"
    in_every_form 12 look
    grep -q 'alert' told/report.text
    for_machines look
}

@test "a message of AxDB at a question" {
    fault "{\"at\":\"tds.request\",\"match\":\"sys.objects\",\"times\":0,\"do\":\"error\",\"arg\":50000,\"text\":\"It is so. $hostile\"}"
    in_every_form 14 look
    for_machines look
}

@test "a message of Dataverse" {
    fault "{\"at\":\"dv.request\",\"match\":\"/api/data/\",\"times\":0,\"do\":\"error\",\"arg\":403,\"text\":\"0x80040220 It is so. $hostile\"}"
    in_every_form 12 verify_dataverse
    grep -q 'alert' told/report.text
    for_machines verify_dataverse
}

@test "a message of the token endpoint" {
    fault "{\"at\":\"dv.token\",\"times\":0,\"do\":\"error\",\"arg\":400,\"text\":\"invalid_client AADSTS7000215: It is so. $hostile\"}"
    in_every_form 12 verify_dataverse
    for_machines verify_dataverse
}

@test "what a database calls its columns is quoted in every statement: rows go, come back, and nothing else is touched" {
    sql "CREATE TABLE dbo.VICTIM (A int NOT NULL); INSERT INTO dbo.VICTIM (A) VALUES (42);"
    sql "ALTER TABLE dbo.DUALWRITEPROJECTCONFIGURATION ADD [x]]; DROP TABLE dbo.VICTIM--] nvarchar(50) NULL;
         ALTER TABLE dbo.DUALWRITEPROJECTCONFIGURATION ADD [a'b\"c' + N'] nvarchar(50) NULL;
         ALTER TABLE dbo.DUALWRITEPROJECTFIELDCONFIGURATION ADD [\$(columns)] int NULL, [line
GO
DROP TABLE dbo.VICTIM] nvarchar(50) NULL;
         ALTER TABLE dbo.BUSINESSEVENTSDEFINITION ADD [/* ]]]] */ -- ] nvarchar(50) NULL"
    sql "UPDATE dbo.DUALWRITEPROJECTCONFIGURATION SET [x]]; DROP TABLE dbo.VICTIM--] = N''';DROP TABLE dbo.VICTIM--', [a'b\"c' + N'] = N']]'"
    sql "UPDATE dbo.DUALWRITEPROJECTFIELDCONFIGURATION SET [\$(columns)] = 7, FIELDMAP = N'
GO
DROP TABLE dbo.VICTIM
\$(x)'; UPDATE dbo.BUSINESSEVENTSDEFINITION SET [/* ]]]] */ -- ] = N'*/ '"
    sql "CREATE TRIGGER dbo.[TR]];DROP TABLE dbo.VICTIM--] ON dbo.BUSINESSEVENTSDEFINITION AFTER DELETE AS PRINT 1"
    victim() { sql "IF (SELECT SUM(A) FROM dbo.VICTIM) <> 42 THROW 50000, N'touched', 1;"; }
    victim
    status_of axdb_write clean --axdb-only --dry-run
    [ "$status" = 4 ]
    says "TR]"
    id=$(axdb_write clean --axdb-only --dry-run --allow-triggers --format json | json plan_id)
    status_of axdb_write clean --axdb-only --allow-triggers --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 2" ]
    victim
    # a script of them for another tool
    status_of "$DWCLEAN" export last --sql --out undo.sql --runs-dir "$runs"
    [ "$status" = 0 ]
    grep -qF '[x]]; DROP TABLE dbo.VICTIM--]' undo.sql
    # and back: the backup decides whether each byte is the same
    id=$(axdb_write undo last --axdb-only --allow-triggers --dry-run --format json | json plan_id)
    status_of axdb_write undo last --axdb-only --allow-triggers --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "2 2 3 2" ]
    sql "IF (SELECT COUNT(*) FROM dbo.DUALWRITEPROJECTCONFIGURATION
        WHERE [x]]; DROP TABLE dbo.VICTIM--] = N''';DROP TABLE dbo.VICTIM--' AND [a'b\"c' + N'] = N']]') <> 2 THROW 50000, N'not the same', 1;"
    victim
    # a part of them, by key
    status_of confirmed axdb_write repair-map --map "Customers V3:accounts" --allow-triggers
    [ "$status" = 0 ]
    victim
    # in what was sent, the name stands in brackets, doubled, and nowhere else
    refute grep -qE '[^]]\]; DROP TABLE dbo.VICTIM--' <(control /log | grep '"user":"dwclean"\|"kind":"batch"' | grep -v '"session":0')
}

@test "a database and a login with a name of that kind: asked for by it, shown, and never run" {
    start_sandbox "$BATS_TEST_TMPDIR/other" small --database "Ax]DB' + N--"
    other_pid=$sandbox_pid
    control -X POST --data "o]'x;-- select,view_definition" /logins
    t=(-S "localhost,$SANDBOX_TDS_PORT" -d "Ax]DB' + N--" -U "o]'x;--" --cacert "$SANDBOX_CA" --expect-dataverse-host "$own_host")
    status_of "$DWCLEAN" verify --axdb-only "${t[@]}" </dev/null
    [ "$status" = 2 ]
    says "Ax]DB' + N--"
    status_of "$DWCLEAN" clean --axdb-only --class sandbox --dry-run "${t[@]}" </dev/null
    [ "$status" = 12 ]
    # the statement that grants it can be run as it stands
    cat stdout stderr | tr -s ' \n' ' ' | grep -qF "TO [o]]'x;--];"
}
