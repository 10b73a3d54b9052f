#!/usr/bin/env bats
# Secrets that lie in every source turn up in no sink: not in what is printed, in whatever form, nor logged at the highest
# level, nor kept, nor in /proc. What README.md of this folder lists beside it is proven elsewhere.

setup_file() {
    load support
    boot small
    start_sandbox "$BATS_FILE_TMPDIR/frozen" small
    control -X POST --data '{"at":"tds.prelogin","times":0,"do":"freeze"}' /faults
    control -X POST --data '{"at":"dv.request","times":0,"do":"freeze"}' /faults
}

teardown_file() {
    load support
    halt
    SANDBOX_ENV=$BATS_FILE_TMPDIR/frozen/env halt
}

setup() {
    load support
    use_sandbox
    fresh
    cd "$BATS_TEST_TMPDIR"
    umask 077
    mkdir told
    unset DWCLEAN_PASSWORD DWCLEAN_CLIENT_SECRET
    # a value of a row, of each secret, and what a secret becomes on its way
    printf '%s\n' Canary 'Sandbox-Passw0rd!' "$SANDBOX_CLIENT_SECRET" "${SANDBOX_CLIENT_SECRET//\~/%7E}" >canaries
}

teardown() {
    for process in ${started:-}; do
        kill -KILL "$process" 2>/dev/null || true
        { wait "$process" || true; } 2>/dev/null
    done
}

# seed_canaries: every column that no report may show, of both halves; of the URL, what is neither host nor path.
seed_canaries() {
    sql "UPDATE dbo.DUALWRITEPROJECTCONFIGURATION SET PARTITIONMAP = N'Canary-P1', QUERYFILTEREXPRESSION = N'Canary-P2',
             INTEGRATIONKEY = N'Canary-P3', SYNCEXECUTIONID = N'Canary-P4', DUALWRITEAUTOPAUSETHRESHOLDSETTING = N'Canary-P5';
         UPDATE dbo.DUALWRITEPROJECTFIELDCONFIGURATION SET FIELDMAP = N'Canary-F1', EXTERNALLOOKUPURLS = N'Canary-F2',
             STORAGEACCOUNTSASCONNECTIONSTRING = N'Canary-F3', SERVICEBUSCONNECTIONSTRING = N'Canary-F4',
             DUALWRITEALERTSETTINGS = N'Canary-F5';
         UPDATE dbo.BUSINESSEVENTSDEFINITION SET DATASOURCENAME = N'Canary-E1', ENTITYJOINSFROMTABLE = 0x43616E617279" >/dev/null
    sql "UPDATE dbo.DUALWRITEPROJECTCONFIGURATION SET EXTERNALENVIRONMENTURL =
             N'https://Canary-U1:Canary-U2@contoso-prod.crm4.dynamics.com/path?sig=Canary-U4#Canary-U5'" >/dev/null
    local id
    for id in $(control /dataverse/rows | node -e \
        'for (const row of JSON.parse(require("fs").readFileSync(0))) console.log(row.id)'); do
        control -X PATCH --data '{"msdyn_unsecure":"{\"SourceFilter\":\"Canary-D1\",\"OrganizationName\":\"org_contosoprod\"}"}' \
            "/dataverse/rows?id=$id" >/dev/null
    done
}

# secrets_in_variables: each that a variable can hold, of the right value or in vain.
secrets_in_variables() {
    export DWCLEAN_PASSWORD='Sandbox-Passw0rd!' DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET SQLCMDPASSWORD=Canary-V1 \
        AZURE_CLIENT_SECRET=Canary-V2 DWCLEAN_CLIENT_CERTIFICATE_PASSWORD=Canary-V3 IDENTITY_HEADER=Canary-V4
    export DWCLEAN_BACKUP_KEY
    DWCLEAN_BACKUP_KEY=$(openssl rand -base64 32)
    echo "$DWCLEAN_BACKUP_KEY" >>canaries
    openssl base64 -d <<<"$DWCLEAN_BACKUP_KEY" | od -An -tx1 | tr -d ' \n' >>canaries
    echo >>canaries
}

# tell NAME COMMAND...: all that it says, on both ways, is kept as told/NAME.*; its status in $status.
tell() {
    status=0
    "${@:2}" >"told/$1.out" 2>"told/$1.err" </dev/null || status=$?
}

# nothing_leaked WHERE...: none of the canaries stands there. What is searched is counted, so that an empty search is seen.
nothing_leaked() {
    [ "$(wc -l <canaries)" -ge 4 ]
    refute grep -qx '' canaries
    echo "# searched: $(wc -l <canaries) secrets in $(find "$@" -type f | wc -l) files, $(find "$@" -type f -exec cat {} + | wc -c) bytes" >&3
    if grep -raiFo -f canaries "$@" >leaks; then
        sort leaks | uniq -c | head -n 20 >&2
        return 1
    fi
}

# kept: what runs leave, but for the rows of the backups.
kept() {
    mkdir kept
    cp -r "$runs" kept/runs
    find kept/runs -name '*.zst*' -delete
}

forms="text json ndjson csv junit html"

@test "looks: no secret and no row in any form, at the highest level of the log" {
    seed_canaries
    secrets_in_variables
    export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/told/summary.md TF_BUILD=True
    for form in $forms; do
        tell "verify-$form" verify --format "$form" -vv --log-format json --metrics-file "$PWD/told/verify.prom"
        [ "$status" = 2 ]
        tell "check-$form" check --format "$form" -vv
        [ "$status" = 0 ]
    done
    tell nagios verify --nagios -vv
    [ "$status" = 2 ]
    tell dry clean --dry-run --format json -vv
    [ "$status" = 0 ]
    tell explain "$DWCLEAN" explain "SecureConfig Organization (a) does not match actual CRM Organization (b)"
    tell version "$DWCLEAN" version --format json
    [ -s told/verify.prom ] && [ -s told/summary.md ]
    grep -q '< HTTP/1.1 200' told/check-text.err
    grep -q contoso-prod.crm4.dynamics.com told/verify-text.out
    nothing_leaked told
}

@test "the life of a run: plan, clean, show, export, undo, prune; and what the run directory keeps" {
    seed_canaries
    secrets_in_variables
    mapfile -t t < <(axdb_target; dataverse_target)
    tell plan "$DWCLEAN" plan --class sandbox "${t[@]}" --out "$PWD/told/plan.file" -vv
    [ "$status" = 0 ]
    tell show-plan "$DWCLEAN" show told/plan.file --statements -v
    [ "$status" = 0 ]
    grep -q DELETE told/show-plan.out
    id=$(clean --dry-run --format json 2>/dev/null | json plan_id)
    tell clean clean --maps-are-stopped --reason test --yes --plan-id "$id" --format html -vv --log-format json \
        --metrics-file "$PWD/told/clean.prom"
    [ "$status" = 0 ]
    run=$(basename "$(newest_run)")
    for form in $forms; do
        tell "show-$form" "$DWCLEAN" show "$run" --runs-dir "$runs" --format "$form" -vv
        tell "runs-$form" "$DWCLEAN" runs --runs-dir "$runs" --format "$form" -vv
    done
    tell verify-run "$DWCLEAN" show "$run" --verify --runs-dir "$runs" -vv
    [ "$status" = 0 ]
    tell bundle "$DWCLEAN" export "$run" --redact --out "$PWD/bundle.tar" --runs-dir "$runs"
    [ "$status" = 0 ]
    mkdir told/bundle
    tar -xf bundle.tar -C told/bundle
    [ "$(find told/bundle -type f | wc -l)" -gt 2 ]
    id=$(both_write undo "$run" --dry-run --format json 2>/dev/null | json plan_id)
    tell undo both_write undo "$run" --maps-are-stopped --reason test --yes --plan-id "$id" --format json -vv
    [ "$status" = 0 ]
    tell prune "$DWCLEAN" prune --older-than 0s --dry-run --runs-dir "$runs" -vv
    kept
    # the key sees what lies in the backup, and nobody without it: not even as Canary in the compressed files
    nothing_leaked told kept "$runs"
}

@test "several environments: messages, every form, metrics, completion of their names" {
    seed_canaries
    export DWCLEAN_PASSWORD='Sandbox-Passw0rd!' SQLCMDPASSWORD=Canary-V1 AZURE_CLIENT_SECRET=Canary-V2
    echo "$SANDBOX_CLIENT_SECRET" >secret
    for name in one two; do
        cat <<INI
[env "$name"]
class = sandbox
server = localhost,$SANDBOX_TDS_PORT
database = AxDB
user = dwclean
dataverse_url = $SANDBOX_DATAVERSE_URL
tenant_id = $SANDBOX_TENANT
client_id = $SANDBOX_CLIENT_ID
client_secret_file = $PWD/secret
allow_host = localhost
cacert = $SANDBOX_CA
INI
    done >config.ini
    sed -i '0,/^client_secret_file.*/s//client_secret_command = printf "Canary-C1\\n"/' config.ini
    export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/told/summary.md
    for form in $forms; do
        tell "fleet-$form" "$DWCLEAN" verify --config config.ini --all --format "$form" -vv --log-format json \
            --metrics-file "$PWD/told/fleet.prom"
        # the first one cannot sign in with what its command says, and AxDB tells residue all the same
        [ "$status" = 2 ]
    done
    tell nagios "$DWCLEAN" verify --config config.ini --all --nagios -v
    tell environments "$DWCLEAN" completion environments --config config.ini
    [ "$(cat told/environments.out)" = "one
two" ]
    tell list "$DWCLEAN" env list --config config.ini --format json
    tell test "$DWCLEAN" env test one --config config.ini -vv
    grep -q AADSTS told/test.err
    # the operator's own command line is shown as it stands in the file, by `env show` and where it is run, and nowhere else
    nothing_leaked told
}

@test "a wrong secret of each source is refused without a word of it" {
    echo Canary-File >file
    printf '#!/bin/sh\necho Canary-Command\necho Canary-Second\n' >command
    chmod 700 command
    unset DWCLEAN_PASSWORD
    cells=0
    # wrong NAME STATUS COMMAND...
    wrong() {
        tell "$1" "${@:3}" -vv
        echo "# $1: $status" >&3
        [ "$status" = "$2" ]
        cells=$((cells + 1))
    }
    DWCLEAN_PASSWORD=Canary-Variable wrong password-variable 12 verify_axdb
    SQLCMDPASSWORD=Canary-Variable wrong password-sqlcmd 12 verify_axdb
    wrong password-file 12 verify_axdb --password-file file
    wrong password-command 12 verify_axdb --password-command ./command
    DWCLEAN_CONNECTION_STRING="Server=localhost,$SANDBOX_TDS_PORT;Database=AxDB;User ID=dwclean;Password=Canary-String" \
        wrong password-string 12 "$DWCLEAN" verify --axdb-only --cacert "$SANDBOX_CA"
    echo "Server=localhost,$SANDBOX_TDS_PORT;Database=AxDB;User ID=dwclean;Password='Canary;String'" >string
    wrong password-string-file 12 "$DWCLEAN" verify --axdb-only --cacert "$SANDBOX_CA" --connection-string-file string
    for text in "User ID=u;Password=a;Canary=b" "User ID=u;Password=Canary-1;Password=Canary-2" "Password='Canary" \
        "Password=Canary;Canary" "Password=Canary;User ID" "Password=Canary;Encrypt=Canary"; do
        DWCLEAN_CONNECTION_STRING="Server=x;Database=AxDB;$text" wrong "string: ${text//[^A-Za-z]/}" 78 "$DWCLEAN" verify --axdb-only
    done
    DWCLEAN_CLIENT_SECRET=Canary-Variable wrong secret-variable 12 verify_dataverse
    AZURE_CLIENT_SECRET=Canary-Variable wrong secret-azure 12 verify_dataverse
    wrong secret-file 12 verify_dataverse --client-secret-file file
    wrong secret-command 12 verify_dataverse --client-secret-command ./command
    DWCLEAN_DATAVERSE_CONNECTION_STRING="AuthType=ClientSecret;Url=$SANDBOX_DATAVERSE_URL;ClientId=$SANDBOX_CLIENT_ID;ClientSecret=Canary-String" \
        wrong secret-string 12 "$DWCLEAN" verify --dataverse-only --cacert "$SANDBOX_CA" --allow-host localhost
    DWCLEAN_TOKEN=Canary-Token wrong token-variable 12 verify_dataverse
    DWCLEAN_TOKEN='Canary Token' wrong token-malformed 12 verify_dataverse
    wrong token-file 12 verify_dataverse --token-file file
    wrong token-command 12 verify_dataverse --token-command ./command
    openssl pkcs12 -export -inkey "$SANDBOX_CLIENT_KEY" -in "$SANDBOX_CLIENT_CERTIFICATE" -passout pass:right -out client.pfx
    DWCLEAN_CLIENT_CERTIFICATE_PASSWORD=Canary-Pfx wrong pfx-password 78 verify_dataverse --client-certificate client.pfx
    AZURE_CLIENT_CERTIFICATE_PASSWORD=Canary-Pfx wrong pfx-password-azure 78 verify_dataverse --client-certificate client.pfx
    IDENTITY_ENDPOINT=$SANDBOX_IDENTITY/msi/token IDENTITY_HEADER=Canary-Header wrong identity-header 12 verify_dataverse --managed-identity
    export DWCLEAN_PASSWORD='Sandbox-Passw0rd!'
    DWCLEAN_BACKUP_KEY=Canary-Key wrong backup-key-variable 78 axdb_write clean --axdb-only --yes --plan-id "$(printf '%064d' 0)"
    wrong backup-key-file 78 axdb_write clean --axdb-only --yes --plan-id "$(printf '%064d' 0)" --backup-key-file file
    wrong backup-key-command 78 axdb_write clean --axdb-only --yes --plan-id "$(printf '%064d' 0)" --backup-key-command ./command
    [ "$cells" = 27 ]
    nothing_leaked told
}

@test "a secret that is typed is not shown, and a wrong one is not repeated" {
    mapfile -t t < <(axdb_target)
    for secret in 'Canary-Typed' 'Sandbox-Passw0rd!'; do
        printf '%s\n' "$secret" | (
            sleep 1
            cat
            sleep 2
        ) | script -qec "$(printf '%q ' "$DWCLEAN" verify --axdb-only "${t[@]}" -vv)" /dev/null >"told/${secret%%-*}" || true
    done
    grep -q 'Password of login dwclean' told/Canary
    grep -q 18456 told/Canary
    grep -q RESIDUE told/Sandbox
    nothing_leaked told
}

@test "/proc shows no secret of a process that is at work, nor of those that it started" {
    secrets_in_variables
    printf '#!/bin/sh\necho Canary-Command\n' >command
    chmod 700 command
    . "$BATS_FILE_TMPDIR/frozen/env"
    for name in one two three; do
        cat <<INI
[env "$name"]
class = sandbox
server = localhost,$SANDBOX_TDS_PORT
database = AxDB
user = dwclean
cacert = $SANDBOX_CA
INI
    done >config.ini
    mapfile -t t < <(axdb_target; dataverse_target)
    # one process with its second half beside it; one command that takes its secret from a program; several environments of
    # which the last has not begun
    "$DWCLEAN" verify "${t[@]}" -l 60 >told/1 2>&1 </dev/null 3>&- &
    started=$!
    "$DWCLEAN" verify "${t[@]:0:6}" --axdb-only --cacert "$SANDBOX_CA" --password-command ./command -l 60 >told/2 2>&1 </dev/null 3>&- &
    started="$started $!"
    "$DWCLEAN" verify --config config.ini --all --axdb-only --jobs 1 --deadline 60s >told/3 2>&1 </dev/null 3>&- &
    started="$started $!"
    for _ in $(seq 200); do
        [ "$(control /log | grep -c '"kind":"connect"')" -ge 3 ] && break
        sleep 0.05
    done
    [ "$(control /log | grep -c '"kind":"connect"')" -ge 3 ]
    looked=0
    for process in $started $(for parent in $started; do pgrep -P "$parent" || true; done); do
        # the program that gave its secret has ended by now
        mkdir -p "told/proc/$process"
        cp "/proc/$process/cmdline" "/proc/$process/environ" "told/proc/$process" 2>/dev/null || continue
        # what it has open in memory is the configuration of FreeTDS, which holds no password
        for fd in "/proc/$process/fd/"*; do
            case $(readlink "$fd") in /memfd:*) cat "$fd" >>"told/proc/$process/memfd" ;; esac
        done
        looked=$((looked + 1))
    done
    echo "# $looked processes" >&3
    [ "$looked" -ge 5 ]
    grep -q 'encryption = require' told/proc/*/memfd
    # the environment is there to be read, and the secrets are not in it
    grep -qa BATS_TEST_TMPDIR told/proc/*/environ
    nothing_leaked told
}
