#!/usr/bin/env bats
# SQL credentials that Dataverse gives just in time: asked for once, used for every connection, and kept nowhere.

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
    unset DWCLEAN_PASSWORD
    fresh
}

# jit COMMAND ROLE [option...]: the target is the Dataverse URL alone.
jit() {
    mapfile -t t < <(dataverse_target)
    "$DWCLEAN" "$1" "${t[@]}" --jit "$2" --jit-ip 127.0.0.1 "${@:3}" </dev/null
}
# A Writer may not see triggers, so their absence has to be vouched for.
jit_clean() { jit clean writer --class dev --runs-dir "$runs" --allow-triggers "$@"; }
jit_plan_id() { jit_clean --dry-run --format json | json plan_id; }
settings() { control -X PATCH --data "$1" /dataverse/settings >/dev/null; }
asked() { control /log | grep -c '"kind":"jit"' || true; }

# The last password that was given is nowhere: not in what was printed, not in the run.
kept_secret() {
    local password
    password=$(control /dataverse/jit | json password)
    [ ${#password} -gt 20 ]
    refute grep -rqF -- "${password:0:24}" "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
    [ ! -d "$runs" ] || refute grep -rqaF -- "${password:0:24}" "$runs"
}

@test "verify asks for a Reader once, says whose login ends, and needs no -S, -d and -U" {
    status_of jit verify reader -v
    [ "$status" = 2 ]
    says "this ends another SQL login of user b1f0d1a2-5c3e-4a7f-9d8b-3e6c2a1f0d99"
    [ "$(asked)" = 1 ]
    logged '"role":"Reader","address":"127.0.0.1","reason":"dwclean verify"'
    says "AxDB on localhost,$SANDBOX_TDS_PORT"
    kept_secret
}

@test "clean with a Writer: dry run, change, proof; every connection uses the one login of its run" {
    [ "$(rows_left)" = "34 34 958 17" ]
    status_of jit_clean --dry-run --format json
    [ "$status" = 0 ]
    id=$(json plan_id <"$BATS_TEST_TMPDIR/stdout")
    says "a dry run reads AxDB: it asks for a SQL login too"
    kept_secret
    control -X DELETE /log
    status_of jit_clean -v --maps-are-stopped --reason "ticket 7" --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    [ "$(asked)" = 1 ]
    logged '"role":"Writer","address":"127.0.0.1","reason":"ticket 7"'
    user=$(control /dataverse/jit | json user)
    [ "$(control /log | grep '"kind":"login"' | grep -c "\"user\":\"$user\"")" -ge 2 ]
    refute grep -q '"kind":"login".*"user":"dwclean"' <(control /log)
    kept_secret
    run=$(ls "$runs" | head -1)
    grep -q '127.0.0.1' "$runs/$run/run.json"
}

@test "undo asks for a Writer of its own, and puts the rows back" {
    id=$(jit_plan_id)
    jit_clean --maps-are-stopped --reason test --yes --plan-id "$id" >/dev/null
    run=$(ls "$runs" | head -1)
    undo=(jit undo writer "$run" --class dev --runs-dir "$runs" --allow-triggers)
    id=$("${undo[@]}" --dry-run --format json | json plan_id)
    control -X DELETE /log
    status_of "${undo[@]}" --maps-are-stopped --reason back --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "34 34 958 17" ]
    [ "$(asked)" = 1 ]
    logged '"role":"Writer","address":"127.0.0.1","reason":"back"'
    kept_secret
}

@test "--axdb-only asks Dataverse for the login and for nothing else" {
    status_of jit verify reader --axdb-only --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 2 ]
    [ "$(asked)" = 1 ]
    refute logged RetrieveCurrentOrganization
    refute logged msdyn_dualwriteruntimeconfigs
}

@test "a Reader cannot delete: a command that writes refuses the role, and asks for nothing" {
    status_of jit clean reader --class dev --runs-dir "$runs" --dry-run
    [ "$status" = 64 ]
    says "writer"
    [ "$(asked)" = 0 ]
    user=$(control -X POST /dataverse/jit | json user)
    export DWCLEAN_PASSWORD="$(control /dataverse/jit | json password)"
    status_of clean --dry-run --class dev -U "$user"
    [ "$status" = 12 ]
    says DELETE
    says "may not"
}

@test "another way to sign in beside --jit is a usage error" {
    status_of jit verify reader -U dwclean
    [ "$status" = 64 ]
    DWCLEAN_PASSWORD=x status_of jit verify reader
    [ "$status" = 64 ]
    says "variable DWCLEAN_PASSWORD"
    status_of jit verify reader --jit-ip example.com
    [ "$status" = 64 ]
    [ "$(asked)" = 0 ]
}

@test "a login that does not work yet is waited for" {
    settings '{"jit_delay_seconds":3}'
    began=$SECONDS
    status_of jit verify reader --axdb-only --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 2 ]
    says "trying again in 5.0 s"
    [ "$(asked)" = 1 ]
    echo "took $((SECONDS - began)) s"
    [ $((SECONDS - began)) -ge 4 ]
}

@test "an address that is not this machine's meets the firewall, with the hint" {
    status_of jit verify reader --jit-ip 203.0.113.0/24 --axdb-only --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 10 ]
    says 40615
    says "127.0.0.1"
    says "--jit-ip"
    kept_secret
}

@test "another server or database than asked for is refused before anything is connected to" {
    for option in "-S localhost,1" "-d OtherDB"; do
        status_of jit_clean --dry-run $option
        [ "$status" = 4 ]
        says "${option#* }"
        says "asked for was"
        [ "$(control /log | grep -c '"kind":"login"')" = 0 ]
    done
    settings '{"jit_server":"spartan-1.database.windows.net"}'
    status_of jit_clean --dry-run -S "localhost,$SANDBOX_TDS_PORT"
    [ "$status" = 4 ]
    says spartan-1
    settings '{"jit_server":""}'
    status_of jit verify reader -S "localhost,$SANDBOX_TDS_PORT" -d axdb
    [ "$status" = 2 ]
    kept_secret
}

@test "pins and axdb = jit of the configuration file" {
    cat >"$BATS_TEST_TMPDIR/config.ini" <<INI
[env "ude"]
class = dev
axdb = jit
jit_ip = 127.0.0.1
dataverse_url = $SANDBOX_DATAVERSE_URL
client_id = $SANDBOX_CLIENT_ID
allow_host = localhost
cacert = $SANDBOX_CA
expect_database = AxDB
[env "other"]
class = dev
axdb = jit
jit_ip = 127.0.0.1
dataverse_url = $SANDBOX_DATAVERSE_URL
client_id = $SANDBOX_CLIENT_ID
allow_host = localhost
cacert = $SANDBOX_CA
expect_server_name = UAT-SQL
INI
    status_of "$DWCLEAN" verify --config "$BATS_TEST_TMPDIR/config.ini" --env ude
    [ "$status" = 2 ]
    logged '"role":"Reader"'
    status_of "$DWCLEAN" clean --config "$BATS_TEST_TMPDIR/config.ini" --env ude -n --allow-triggers
    [ "$status" = 0 ]
    logged '"role":"Writer"'
    status_of "$DWCLEAN" clean --config "$BATS_TEST_TMPDIR/config.ini" --env other -n --allow-triggers
    [ "$status" = 4 ]
    says UAT-SQL
}

@test "a login that is nearly over is not used, and not asked for again" {
    settings '{"jit_life_seconds":30}'
    status_of jit verify reader --axdb-only
    [ "$status" = 12 ]
    says "the SQL login of this run ends at"
    [ "$(asked)" = 1 ]
    [ "$(control /log | grep -c '"kind":"login"')" = 0 ]
}

@test "no System Administrator, and no unified environment" {
    settings '{"system_administrator":false}'
    status_of jit verify reader --axdb-only
    [ "$status" = 12 ]
    says "System Administrator"
    settings '{"system_administrator":true,"jit_served":false}'
    status_of jit verify reader --axdb-only
    [ "$status" = 14 ]
    says "unified environments"
    says "-S, -d and -U"
}

@test "a lost answer is not asked for again" {
    fault '{"at":"dv.after","match":"msprov_getfinopssqljitaccessasync","do":"cut"}'
    status_of jit verify reader --axdb-only
    [ "$status" = 10 ]
    says "not sent again"
    [ "$(asked)" = 1 ]
    kept_secret
}

@test "an answer that is an error is not asked for again, and what it says of passwords is not shown" {
    fault '{"at":"dv.after","match":"msprov_getfinopssqljitaccessasync","do":"error","arg":500,"text":"0x80040216 Password=canary-77 is too short"}'
    status_of jit verify reader --axdb-only
    [ "$status" = 14 ]
    refute says canary-77
    says "may have been carried out"
    [ "$(asked)" = 1 ]
}

# started TEXT: waits until the sandbox's log has it.
started() {
    for _ in $(seq 100); do
        logged "$1" && return 0
        sleep 0.1
    done
    return 1
}

@test "a colleague who asks under the locks ends the run: nothing was changed" {
    id=$(jit_plan_id)
    control -X DELETE /log
    fault '{"at":"tsql.statement","match":"DELETE FROM","skip":1,"do":"delay","arg":2000}'
    jit_clean --maps-are-stopped --reason test --yes --plan-id "$id" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" &
    pid=$!
    started 'DELETE FROM'
    control -X POST /dataverse/jit >/dev/null
    status=0
    wait "$pid" || status=$?
    cat "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
    [ "$status" = 10 ]
    [ "$(rows_left)" = "34 34 958 17" ]
    says "Nothing was changed"
}

@test "a colleague who asks during the purge: 3, nothing is lost, and resume asks again and finishes" {
    id=$(jit_plan_id)
    control -X DELETE /log
    fault '{"at":"dv.request","match":"$batch","do":"delay","arg":2000}'
    jit_clean --maps-are-stopped --reason test --yes --plan-id "$id" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" &
    pid=$!
    started '"what":"committed"'
    control -X POST /dataverse/jit >/dev/null
    began=$SECONDS
    status=0
    wait "$pid" || status=$?
    cat "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
    [ "$status" = 3 ]
    [ $((SECONDS - began)) -lt 20 ]
    says "same user"
    says "--jit 'writer' --jit-ip '127.0.0.1'"
    [ "$(asked)" = 1 ]
    run=$(ls "$runs" | head -1)
    status_of jit resume writer "$run" --class dev --runs-dir "$runs" --allow-host localhost \
        --maps-are-stopped --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(asked)" = 2 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    kept_secret
}
