#!/usr/bin/env bats
# Every example is read by a tool that knows its kind, and what it runs is run.

setup_file() {
    load ../cli/support
    boot scenario-a
    export NPM_DIR=$BATS_FILE_TMPDIR/npm EXAMPLES=$BATS_TEST_DIRNAME
    mkdir "$NPM_DIR"
    cp "$EXAMPLES"/{package.json,package-lock.json,.npmrc} "$NPM_DIR"
    (cd "$NPM_DIR" && npm ci >npm.log 2>&1) || cat "$NPM_DIR/npm.log" >&2
}

teardown_file() {
    load ../cli/support
    halt
}

setup() {
    load ../cli/support
    use_sandbox
    fresh
    cd "$BATS_TEST_TMPDIR"
    examples=$SOURCE_DIR/fixtures/examples
}

reads() { node "$EXAMPLES/examples.mjs" "$@"; }

# must_fail WHAT FILE SED: the same tool finds the fault that the sed script makes.
must_fail() {
    sed "$3" "$2" >"$BATS_TEST_TMPDIR/${2##*/}"
    refute cmp -s "$2" "$BATS_TEST_TMPDIR/${2##*/}"
    refute reads "$1" "$BATS_TEST_TMPDIR/${2##*/}"
}

# ini: the environment "uat" of the examples, on the sandbox; sign-in comes from elsewhere.
ini() {
    cat <<TEXT
[env "uat"]
class = sandbox
server = localhost,$SANDBOX_TDS_PORT
database = AxDB
user = dwclean
dataverse_url = $SANDBOX_DATAVERSE_URL
tenant_id = $SANDBOX_TENANT
client_id = $SANDBOX_CLIENT_ID
allow_host = localhost
cacert = $SANDBOX_CA
TEXT
}

# programs: dwclean by its name, and stand-ins for what asks the platform.
programs() {
    mkdir bin
    ln -s "$DWCLEAN" bin/dwclean
    control -X POST --data '{}' /dataverse/tokens | json token >token
    control -X POST --data '{}' /dataverse/federated >federated
    node -e 'console.log(JSON.stringify({value: JSON.parse(require("fs").readFileSync("federated")).token}))' >oidc
    printf '#!/bin/sh\ncat "%s/token"\n' "$PWD" >bin/az
    printf '#!/bin/sh\ncat "%s/oidc"\n' "$PWD" >bin/curl
    chmod +x bin/az bin/curl
    mkdir runs
    ini >dwclean.ini
    ln -s . dwclean-plan # where the platform's download puts it
}

# ini_keys: of the option table.
ini_keys() {
    printf '%s\n' '#define NULL' '#define OPTION(id, letter, name, argument, kind, values, variables, ini, rest...) KEY ini' \
        '#include "config/options.def"' | cc -E -P -I "$SOURCE_DIR/include" - | sed -n 's/^KEY "\(.*\)"$/\1/p'
}

@test "the example configuration has every key, and each is accepted as it stands there" {
    status_of "$DWCLEAN" env list --config "$examples/config.ini"
    [ "$status" = 0 ]
    says "uat  sandbox"
    ini_keys >keys
    [ "$(wc -l <keys)" -ge 50 ]
    while read -r key; do
        grep -qE "^#?$key = [^ ]" "$examples/config.ini" || { echo "no $key in config.ini" >&2; false; }
    done <keys
    # one at a time, since two ways to sign in are an error
    grep -E '^#[a-z0-9._]+ = ' "$examples/config.ini" | sed 's/^#//' >lines
    [ "$(wc -l <lines)" -ge 30 ]
    while read -r line; do
        printf '[env "x"]\nclass = sandbox\n%s\n' "$line" >one.ini
        status_of "$DWCLEAN" env list --config one.ini
        [ "$status" = 0 ] || { echo "$line" >&2; false; }
    done <lines
    printf '[env "x"]\nclass = sandbox\nlogin_timeot = 3s\n' >one.ini
    status_of "$DWCLEAN" env list --config one.ini
    [ "$status" = 78 ]
    status_of "$DWCLEAN" env list --config "$examples/kubernetes/config.ini"
    [ "$status" = 0 ]
}

@test "the workflow of GitHub passes actionlint" {
    reads github "$examples/github-workflow.yml"
    must_fail github "$examples/github-workflow.yml" 's/needs.plan.outputs.plan_id/needs.plann.outputs.plan_id/'
}

@test "the workflow of GitHub: plan, apply and proof, on the sandbox" {
    programs
    export RUNS=$PWD/runs SECRET=$DWCLEAN_PASSWORD
    unset DWCLEAN_CLIENT_SECRET DWCLEAN_PASSWORD
    PATH=$PWD/bin:$PATH node "$EXAMPLES/pipeline.mjs" "$examples/github-workflow.yml" >out
    cat out
    [ "$(tr '\n' ',' <out)" = "plan - 0,plan plan 0,apply - 0,apply - 0,before-relink - 0,before-relink - 0," ]
    [ "$(rows_left)" = "0 0 0 0" ]
    grep -q CHG0042 runs/*/run.json
    grep -q 'clean' summary.md
    refute grep -rqF "$SECRET" summary.md plan.json plan.txt dwclean.plan
    # nothing to do: no apply
    PATH=$PWD/bin:$PATH node "$EXAMPLES/pipeline.mjs" "$examples/github-workflow.yml" >out
    [ "$(tr '\n' ',' <out)" = "plan - 0,plan plan 0,before-relink - 0,before-relink - 0," ]
}

@test "the pipeline of Azure: plan, apply and proof, on the sandbox" {
    programs
    export RUNS=$PWD/runs SECRET=$DWCLEAN_PASSWORD
    unset DWCLEAN_CLIENT_SECRET DWCLEAN_PASSWORD
    PATH=$PWD/bin:$PATH node "$EXAMPLES/pipeline.mjs" "$examples/azure-pipelines.yml" >out
    cat out
    [ "$(tr '\n' ',' <out)" = "plan plan 0,apply - 0,before_relink - 0," ]
    [ "$(rows_left)" = "0 0 0 0" ]
    grep -q CHG0042 runs/*/run.json
}

@test "a pipeline stops where apply fails" {
    programs
    export RUNS=$PWD/runs SECRET=$DWCLEAN_PASSWORD
    unset DWCLEAN_CLIENT_SECRET DWCLEAN_PASSWORD
    sed 's/^ *dwclean apply /&--no-such-option /' "$examples/azure-pipelines.yml" >azure-broken.yml
    status_of env "PATH=$PWD/bin:$PATH" node "$EXAMPLES/pipeline.mjs" "$PWD/azure-broken.yml"
    [ "$status" = 64 ]
    says "no-such-option"
    refute says before_relink
}

@test "the CronJobs of Kubernetes follow their schema, field by field" {
    reads yaml "$examples"/kubernetes/*.yaml "$examples"/kubernetes/*/*.yaml
    reads kubernetes "$examples/kubernetes/namespace.yaml" "$examples/kubernetes/service-account.yaml" "$examples/kubernetes/base/cronjob.yaml"
    must_fail kubernetes "$examples/kubernetes/base/cronjob.yaml" 's/concurrencyPolicy/concurencyPolicy/'
    must_fail kubernetes "$examples/kubernetes/base/cronjob.yaml" 's/runAsUser: 65532/runAsUser: somebody/'
}

@test "kustomize makes one CronJob for each environment" {
    reads overlays "$examples/kubernetes/kustomization.yaml"
    cp -r "$examples/kubernetes" .
    sed -i 's/env\/1/env\/0/' kubernetes/uat/kustomization.yaml
    refute reads overlays kubernetes/kustomization.yaml
    # what kustomize itself makes of it, where there is one: Debian 12 has none that is new enough
    kubectl kustomize --help >/dev/null 2>&1 || return 0
    kubectl kustomize "$examples/kubernetes" >all.yaml
    reads kubernetes all.yaml
    [ "$(grep -c '^kind: CronJob' all.yaml)" = 2 ]
    for environment in uat training; do
        grep -q "name: verify-$environment$" all.yaml
        grep -q "name: $environment-axdb$" all.yaml
        grep -q "^\[env \"$environment\"\]" "$examples/kubernetes/config.ini"
    done
}

@test "the units of systemd pass systemd-analyze, and may little" {
    command -v systemd-analyze >/dev/null || skip "no systemd-analyze here"
    ln -s "$DWCLEAN" "$BATS_TEST_TMPDIR/dwclean" # a path without blanks
    for kind in service timer; do
        sed "s|/usr/bin/dwclean|$BATS_TEST_TMPDIR/dwclean|" "$examples/dwclean-verify@.$kind" >"dwclean-verify@uat.$kind"
    done
    systemd-analyze verify --man=no ./dwclean-verify@uat.service ./dwclean-verify@uat.timer 2>said || { cat said >&2; false; }
    [ ! -s said ] || { cat said >&2; false; }
    systemd-analyze security --offline=yes --threshold=20 --no-pager ./dwclean-verify@uat.service >security || { cat security >&2; false; }
    sed -i 's/^Type=oneshot/Type=onshot/' dwclean-verify@uat.service
    systemd-analyze verify --man=no ./dwclean-verify@uat.service 2>said || true
    [ -s said ]
}

@test "the job of SQL Server Agent is T-SQL, with parameters that the procedures have" {
    reads sql "$examples/sql-agent-cmdexec.sql"
    must_fail sql "$examples/sql-agent-cmdexec.sql" 's/@on_fail_action/@on_failure_action/'
    must_fail sql "$examples/sql-agent-cmdexec.sql" 's/EXEC msdb.dbo.sp_add_jobserver/EXEC EXEC msdb.dbo.sp_add_jobserver/'
}

@test "the Containerfile parses, and runs as a user of its own" {
    reads containerfile "$examples/Containerfile"
    must_fail containerfile "$examples/Containerfile" 's/^ENTRYPOINT/ENTRYPONT/'
    [ "$(sed -n 's/^USER //p' "$examples/Containerfile" | tail -n 1)" = 65532:65532 ]
}

@test "every other command line of dwclean in the examples runs" {
    export CREDENTIALS=$PWD/credentials
    mkdir credentials
    printf '%s\n' "$DWCLEAN_PASSWORD" >credentials/axdb-password
    printf '%s\n' "$DWCLEAN_CLIENT_SECRET" >credentials/dataverse-secret
    ini >config.ini
    reads commands "$examples"/dwclean-verify@.service "$examples"/kubernetes/base/cronjob.yaml "$examples"/config.ini \
        "$examples"/sql-agent-cmdexec.sql "$examples"/Containerfile >lines
    [ "$(wc -l <lines)" -ge 10 ]
    for word in '"/usr/bin/dwclean","verify"' '"env","test","uat"' '"--client-secret-command"' '["dwclean","help"]'; do
        grep -qF "$word" lines
    done
    while read -r line; do
        mapfile -t command < <(node -e 'for (const word of JSON.parse(process.argv[1])) console.log(word)' "$line")
        for at in "${!command[@]}"; do
            [ "${command[at]}" != /etc/dwclean/config.ini ] || command[at]=$PWD/config.ini
        done
        # the unit brings its own secrets
        case ${command[0]} in
        /*) DWCLEAN_CONFIG=$PWD/config.ini status_of env -u DWCLEAN_PASSWORD -u DWCLEAN_CLIENT_SECRET "$DWCLEAN" "${command[@]:1}" ;;
        *) DWCLEAN_CONFIG=$PWD/config.ini status_of "$DWCLEAN" "${command[@]:1}" ;;
        esac
        echo "$line: $status"
        case ${command[1]} in
        verify) [ "$status" = 2 ] ;; # the rows of the sandbox are found
        clean) [ "$status" = 64 ] && says "without a terminal" ;;
        *) [ "$status" = 0 ] ;;
        esac
    done <lines
}
