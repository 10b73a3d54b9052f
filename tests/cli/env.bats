#!/usr/bin/env bats
# env: the named environments, every value with its source, and whether both sides answer. Never a secret.

setup_file() {
    load support
    boot own-host
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
    ini=$BATS_TEST_TMPDIR/config.ini
    echo 'FILE-SECRET' >"$BATS_TEST_TMPDIR/secret"
    chmod 600 "$BATS_TEST_TMPDIR/secret"
    cat >"$ini" <<END
[defaults]
query_timeout = 90
user = somebody
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
channels = Alpha, Beta
expect_org_name = org6459f7a8
[env "prod"]
class = production
server = prod.example
database = AxDB
user = dwclean
password_file = $BATS_TEST_TMPDIR/secret
END
}

env_() { "$DWCLEAN" env "$@" --config "$ini" </dev/null; }

# value OPTION <REPORT: "value|source|remark" of env show --format json.
value() {
    node -e '
        const found = JSON.parse(require("fs").readFileSync(0)).values.find(v => v.option === process.argv[1]);
        process.stdout.write(found ? [found.value, found.source, found.remark].join("|") : "");' "$1"
}

@test "list has every environment with class, target and place" {
    status_of env_ list
    [ "$status" = 0 ]
    says "uat  sandbox  "
    says "config.ini:4"
    says "AxDB on prod.example"
    status_of env_ list --format json
    [ "$(json environments.1.name <<<"$output")" = prod ]
    [ "$(json environments.1.class <<<"$output")" = production ]
    [ "$(json environments.0.dataverse_url <<<"$output")" = "$SANDBOX_DATAVERSE_URL" ]
    [ "$(json environments.1.source <<<"$output")" = "$ini:16" ]
    refute logged .
}

@test "version in JSON follows the schema of lists" {
    status_of "$DWCLEAN" version --format json
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/lists.schema.json" "$BATS_TEST_TMPDIR/stdout"
}

@test "list without a file says where it looked" {
    HOME=$BATS_TEST_TMPDIR status_of "$DWCLEAN" env list
    [ "$status" = 0 ]
    says "There is no configuration file"
}

@test "show has every value with its source, and what it stands in place of" {
    status_of env_ show uat -t 20 --format json
    [ "$status" = 0 ]
    [ "$(value server <<<"$output")" = "localhost,$SANDBOX_TDS_PORT|[env \"uat\"] in $ini:6|" ]
    [ "$(value query-timeout <<<"$output")" = "20|argv|" ]
    [ "$(value encrypt <<<"$output")" = "mandatory|built-in|" ]
    [ "$(value channel <<<"$output")" = "Alpha, Beta|[env \"uat\"] in $ini:14|" ]
    [ "$(value user <<<"$output" | cut -d'|' -f1)" = dwclean ]
    says "[defaults] in $ini:3"
    [ "$(json problem <<<"$output")" = "" ]
    status_of env_ show --env uat
    says "instead of somebody ([defaults] in"
    says "signs in to Dataverse by client secret (variable DWCLEAN_CLIENT_SECRET)"
    refute logged .
}

@test "show says what is ignored, and what would stop a command" {
    DWCLEAN_SERVER=elsewhere status_of env_ show
    [ "$status" = 0 ]
    says "ignored by every command that writes"
    DWCLEAN_SERVER=elsewhere status_of env_ show uat --format json
    [ "$status" = 0 ]
    [ "$(json problem <<<"$output")" = "another server than --env names" ]
    status_of env_ show uat -E --format json
    [ "$(value user <<<"$output" | cut -d'|' -f3)" = "ignored: another option stands in its place" ]
}

@test "no secret is shown: neither of a variable nor of a file" {
    export DWCLEAN_PASSWORD=VARIABLE-SECRET DWCLEAN_TOKEN=TOKEN-SECRET DWCLEAN_BACKUP_KEY=KEY-SECRET
    for form in text json; do
        status_of env_ show prod --format "$form"
        [ "$status" = 0 ]
        says "$BATS_TEST_TMPDIR/secret"
        says "variable DWCLEAN_PASSWORD"
        says "variable DWCLEAN_TOKEN"
        says "not used: a stronger source gives this secret"
        refute grep -q -- -SECRET "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
    done
    says '"secret": true'
}

@test "wrong words are usage errors" {
    for words in "" "shw" "list uat" "show uat prod" "show uat --env prod"; do
        # shellcheck disable=SC2086
        status_of env_ $words
        [ "$status" = 64 ]
    done
    status_of env_ show nothing
    [ "$status" = 78 ]
}

@test "test: both sides answer and are the ones that were pinned" {
    status_of env_ test uat
    [ "$status" = 0 ]
    [[ "$output" == "READY  AxDB: ok; Dataverse: ok"* ]]
    says "organization org6459f7a8"
    says "TLS"
    refute says C-RUNS
    status_of env_ test uat --format json
    [ "$(json outcome <<<"$output")" = ready ]
    [ "$(json command <<<"$output")" = env ]
}

@test "test: each side has its own reason" {
    DWCLEAN_PASSWORD=wrong status_of env_ test uat
    [ "$status" = 12 ]
    says "AxDB: no answer to work with; Dataverse: ok"
    sed -i "s/^server = localhost.*/server = localhost,1/" "$ini"
    status_of env_ test uat
    [ "$status" = 10 ]
    DWCLEAN_CLIENT_SECRET=wrong status_of env_ test uat --dataverse-only
    [ "$status" = 12 ]
    says "Dataverse: no answer to work with"
    refute says "AxDB:"
}

@test "test: a pin that does not hold is refused" {
    sed -i "s/^expect_org_name = .*/expect_org_name = orgother/" "$ini"
    status_of env_ test uat
    [ "$status" = 4 ]
    [[ "$output" == REFUSED* ]]
    says "org6459f7a8, expected orgother"
}

@test "test without an environment wants a target" {
    status_of env_ test
    [ "$status" = 64 ]
}

# valid SCHEMA: the JSON of the last status_of is as its schema says.
valid() {
    tr -d '\r' <"$BATS_TEST_TMPDIR/stdout" >"$BATS_TEST_TMPDIR/report.json"
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/$1.schema.json" "$BATS_TEST_TMPDIR/report.json"
}

@test "every JSON form is as its schema says" {
    status_of env_ list --format json
    valid lists
    DWCLEAN_SERVER=elsewhere status_of env_ show uat --format json
    valid lists
    status_of script -qec "'$DWCLEAN' explain --format json" /dev/null
    valid lists
    status_of env_ test uat --format json
    valid outcome
    refute valid lists
    status_of "$DWCLEAN" explain DWFOEV1004 --config "$ini" --env uat --format json
    [ "$status" = 2 ]
    valid outcome
    status_of "$DWCLEAN" explain nothing --format json
    valid outcome
}

# strings: one of each side, the way a portal writes them, into $string_file.
strings() {
    string_file=$BATS_TEST_TMPDIR/strings
    axdb_string="Server=tcp:localhost,$SANDBOX_TDS_PORT;Database=AxDB;User ID=dwclean;Password=\"Sandbox-Passw0rd!\";Encrypt=True"
    dataverse_string="AuthType=ClientSecret;Url=$SANDBOX_DATAVERSE_URL;ClientId=$SANDBOX_CLIENT_ID;ClientSecret='$SANDBOX_CLIENT_SECRET'"
    printf '%s\n\n%s\r\n' "$axdb_string" "$dataverse_string" >"$string_file"
    chmod 600 "$string_file"
    unset DWCLEAN_PASSWORD DWCLEAN_CLIENT_SECRET
    rest=(--tenant-id "$SANDBOX_TENANT" --allow-host localhost --cacert "$SANDBOX_CA")
}

@test "connection strings of a file are target and sign-in, of a command that writes too" {
    strings
    status_of "$DWCLEAN" verify --connection-string-file "$string_file" "${rest[@]}"
    [ "$status" = 2 ]
    status_of "$DWCLEAN" clean --dry-run --class sandbox --connection-string-file "$string_file" "${rest[@]}" \
        --rows-name-this-environment --reason test
    [ "$status" = 0 ]
    chmod 644 "$string_file"
    status_of "$DWCLEAN" verify --connection-string-file "$string_file" "${rest[@]}"
    [ "$status" = 78 ]
    refute says Sandbox-Passw0rd
}

@test "connection strings of variables sign in, and are no target of a command that writes" {
    strings
    export DWCLEAN_CONNECTION_STRING=$axdb_string DWCLEAN_DATAVERSE_CONNECTION_STRING=$dataverse_string
    status_of "$DWCLEAN" verify "${rest[@]}"
    [ "$status" = 2 ]
    status_of "$DWCLEAN" clean --dry-run --class sandbox "${rest[@]}"
    [ "$status" = 64 ]
    says "variable DWCLEAN_CONNECTION_STRING (tcp:localhost,$SANDBOX_TDS_PORT) is ignored"
    status_of "$DWCLEAN" clean --dry-run --class sandbox "${rest[@]}" -S "localhost,$SANDBOX_TDS_PORT" -d AxDB \
        --dataverse-url "$SANDBOX_DATAVERSE_URL" --rows-name-this-environment --reason test
    [ "$status" = 0 ]
    status_of "$DWCLEAN" env show --format json
    [ "$(value password <<<"$output")" = "|variable DWCLEAN_CONNECTION_STRING|" ]
    refute says Sandbox-Passw0rd
    refute says "$SANDBOX_CLIENT_SECRET"
}

@test "the certificate of a command that writes is not left unchecked by a variable" {
    strings
    target=(-S "localhost,$SANDBOX_TDS_PORT" -d AxDB --axdb-only --expect-dataverse-host other.crm4.dynamics.com)
    export DWCLEAN_CONNECTION_STRING="$axdb_string;TrustServerCertificate=True"
    status_of "$DWCLEAN" verify --axdb-only
    [ "$status" = 2 ]
    says "NOT checked"
    status_of "$DWCLEAN" clean --dry-run --class sandbox "${target[@]}"
    [ "$status" = 10 ]
    says "trust-server-certificate is ignored; clean takes it from -C or --env alone"
    says certificate
    status_of env -u DWCLEAN_CONNECTION_STRING DWCLEAN_ENCRYPT=disable DWCLEAN_PASSWORD='Sandbox-Passw0rd!' \
        DWCLEAN_USER=dwclean "$DWCLEAN" clean --dry-run \
        --class sandbox "${target[@]}"
    [ "$status" = 10 ]
    says "variable DWCLEAN_ENCRYPT (disable) is ignored"
    status_of "$DWCLEAN" clean --dry-run --class sandbox "${target[@]}" -C
    [ "$status" = 0 ]
    says "NOT checked"
}

@test "a connection string and another target, or another secret, contradict each other" {
    strings
    status_of "$DWCLEAN" verify --connection-string-file "$string_file" "${rest[@]}" -S other
    [ "$status" = 64 ]
    says "-S and --connection-string-file $string_file contradict each other"
    DWCLEAN_CONNECTION_STRING=$axdb_string status_of "$DWCLEAN" verify --axdb-only "${rest[@]}" -S other -d AxDB
    [ "$status" = 64 ]
    says "-S and variable DWCLEAN_CONNECTION_STRING name two targets"
    DWCLEAN_CONNECTION_STRING=$axdb_string DWCLEAN_PASSWORD=other status_of "$DWCLEAN" verify --axdb-only "${rest[@]}"
    [ "$status" = 78 ]
    says "variable DWCLEAN_PASSWORD and variable DWCLEAN_CONNECTION_STRING contradict each other"
    DWCLEAN_CONNECTION_STRING="${axdb_string/localhost/other}" status_of env_ test uat
    [ "$status" = 4 ]
    DWCLEAN_CONNECTION_STRING="$axdb_string;Foo=hunter2" status_of "$DWCLEAN" verify --axdb-only "${rest[@]}"
    [ "$status" = 78 ]
    says 'variable DWCLEAN_CONNECTION_STRING: key "foo" is not known'
    refute says hunter2
}
