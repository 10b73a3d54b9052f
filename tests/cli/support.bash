# Loaded by every bats file here: starts a sandbox a file, and has the command lines.
# Needs DWCLEAN, SANDBOX_BINARY and SOURCE_DIR (ctest sets them).

. "$SOURCE_DIR/tests/support/sandbox.sh"

# A pristine environment: nothing of the caller's may leak into a test.
unset AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_CLIENT_CERTIFICATE_PATH AZURE_FEDERATED_TOKEN_FILE \
    AZURE_TOKEN_CREDENTIALS AZURE_AUTHORITY_HOST AZURE_CLIENT_CERTIFICATE_PASSWORD IDENTITY_ENDPOINT IDENTITY_HEADER MSI_SECRET \
    DWCLEAN_TOKEN DWCLEAN_TOKEN_FILE DWCLEAN_TOKEN_COMMAND SQLCMDPASSWORD SQLCMDSERVER \
    SQLCMDUSER SQLCMDDBNAME DWCLEAN_CONFIG XDG_STATE_HOME XDG_CONFIG_HOME \
    TF_BUILD GITHUB_ACTIONS GITHUB_STEP_SUMMARY JOURNAL_STREAM
export DWCLEAN_PASSWORD='Sandbox-Passw0rd!'
export NO_COLOR=1 LC_ALL=C

# boot SEED [option...]: in setup_file; the sandbox lives as long as the file's tests.
boot() {
    start_sandbox "$BATS_FILE_TMPDIR/sandbox" "$@"
    export SANDBOX_ENV=$BATS_FILE_TMPDIR/sandbox/env
}

# use_sandbox: in setup; loads the variables of the file's sandbox.
use_sandbox() {
    . "$SANDBOX_ENV"
    export DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
    runs=$BATS_TEST_TMPDIR/runs
}

# fresh: back to the seed, no faults, empty log.
fresh() {
    control -X DELETE /faults
    control -X POST /reset
    control -X DELETE /log
}

# halt: in teardown_file. The sandbox may not be this shell's child any more: end it by its number.
halt() {
    . "$SANDBOX_ENV"
    kill "$SANDBOX_PID" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$SANDBOX_PID" 2>/dev/null || return 0
        sleep 0.05
    done
    echo "the sandbox does not end" >&2
    return 1
}

# control [curl option...] PATH
control() {
    local path=${*: -1}
    curl --silent --show-error --fail-with-body "${@:1:$#-1}" "$SANDBOX_CONTROL$path"
}

# fault JSON: a rule for the sandbox (tests/sandbox/common/fault.h).
fault() {
    control -X POST --data "$1" /faults
}

# sql STATEMENT: with all rights, on another session.
sql() {
    control -X POST --data-binary "$1" /sql
}

# rows_left: rows of the three tables and of Dataverse, as "project field events runtime".
rows_left() {
    # a script returns no rows, but its error text comes back
    local counts
    counts=$(curl --silent --data-binary "DECLARE @n nvarchar(200);
        SET @n = CONCAT((SELECT COUNT(*) FROM dbo.DUALWRITEPROJECTCONFIGURATION), N' ',
            (SELECT COUNT(*) FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION), N' ',
            (SELECT COUNT(*) FROM dbo.BUSINESSEVENTSDEFINITION));
        THROW 50000, @n, 1;" "$SANDBOX_CONTROL/sql" | grep -oE '[0-9]+ [0-9]+ [0-9]+')
    echo "$counts $(control /dataverse/rows | node -e \
        'process.stdout.write(String(JSON.parse(require("fs").readFileSync(0)).length))')"
}

axdb_target() { printf '%s\n' -S "localhost,$SANDBOX_TDS_PORT" -d AxDB -U dwclean --cacert "$SANDBOX_CA"; }
dataverse_target() {
    printf '%s\n' --dataverse-url "$SANDBOX_DATAVERSE_URL" --tenant-id "$SANDBOX_TENANT" \
        --client-id "$SANDBOX_CLIENT_ID" --allow-host localhost --cacert "$SANDBOX_CA"
}

# verify, clean: both halves, further options follow. axdb_...: one half. Later options win.
verify() { mapfile -t t < <(axdb_target; dataverse_target); "$DWCLEAN" verify "${t[@]}" "$@" </dev/null; }
verify_axdb() { mapfile -t t < <(axdb_target); "$DWCLEAN" verify --axdb-only "${t[@]}" "$@" </dev/null; }
verify_dataverse() { mapfile -t t < <(dataverse_target); "$DWCLEAN" verify --dataverse-only "${t[@]}" "$@" </dev/null; }
clean() {
    mapfile -t t < <(axdb_target; dataverse_target)
    "$DWCLEAN" clean --class sandbox --runs-dir "$runs" "${t[@]}" "$@" </dev/null
}

# plan_id [option...]: of a dry run.
plan_id() { clean --dry-run --format json "$@" | json plan_id; }

# clean_all [option...]: dry run, then the change with its plan-id.
clean_all() {
    local id
    id=$(plan_id "$@") || return
    clean --maps-are-stopped --reason test --yes --plan-id "$id" "$@"
}

# check: reads both halves. repair_map, undo RUN, resume RUN: the writing options of `clean`; AxDB alone and the pin,
# because no Dataverse is named.
own_host=contoso-uat.crm4.dynamics.com
check() { mapfile -t t < <(axdb_target; dataverse_target); "$DWCLEAN" check --class sandbox --runs-dir "$runs" "${t[@]}" "$@" </dev/null; }
axdb_write() {
    mapfile -t t < <(axdb_target)
    "$DWCLEAN" "$1" --class sandbox --runs-dir "$runs" --expect-dataverse-host "$own_host" "${t[@]}" "${@:2}" </dev/null
}
both_write() {
    mapfile -t t < <(axdb_target; dataverse_target)
    "$DWCLEAN" "$1" --class sandbox --runs-dir "$runs" "${t[@]}" "${@:2}" </dev/null
}
dataverse_write() {
    mapfile -t t < <(dataverse_target)
    "$DWCLEAN" "$1" --class sandbox --runs-dir "$runs" "${t[@]}" "${@:2}" </dev/null
}
# confirmed COMMAND...: its dry run, then the change with that plan-id.
confirmed() {
    local id
    id=$("$@" --dry-run --format json | json plan_id) || return
    "$@" --maps-are-stopped --reason test --yes --plan-id "$id"
}

# json PATH: a member of the JSON object on standard input, "" when it is not there.
json() {
    node -e '
        const value = process.argv[1].split(".").reduce((o, k) => (o === undefined || o === null ? o : o[k]),
            JSON.parse(require("fs").readFileSync(0)));
        process.stdout.write(value === undefined || value === null ? "" : String(value));' "$1"
}

# status_of COMMAND...: runs it with output kept in $output and $stderr, and sets $status.
status_of() {
    status=0
    "$@" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" || status=$?
    output=$(cat "$BATS_TEST_TMPDIR/stdout")
    stderr=$(cat "$BATS_TEST_TMPDIR/stderr")
    echo "status $status"
    echo "$output"
    echo "$stderr"
}

# says TEXT: stdout or stderr of status_of holds it.
says() {
    grep -qF -- "$1" "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
}

# refute COMMAND...: it must fail. (A bare `! command` in the middle of a test fails nothing.)
refute() {
    if "$@"; then
        echo "should not have succeeded: $*" >&2
        return 1
    fi
}

# logged TEXT: the sandbox's own log has it.
logged() {
    control /log | grep -q -- "$1"
}

# newest_run: the directory of the run that began last. Names have seconds only; the journal has milliseconds.
newest_run() {
    local dir
    for dir in "$runs"/2*; do
        printf '%s %s\n' "$(head -n 1 "$dir/journal.ndjson" | sed 's/.*"utc":"\([^"]*\)".*/\1/')" "$dir"
    done | sort | tail -n 1 | cut -d ' ' -f 2-
}
