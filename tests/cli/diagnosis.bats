#!/usr/bin/env bats
# What Dataverse itself says of the SecureConfig error, and of plug-ins and companies: advisory, never in the status.

setup_file() {
    load support
    boot own-host
}

teardown_file() {
    load support
    halt
}

setup() {
    load support
    use_sandbox
    fresh
}

settings() { control -X PATCH --data "$1" /dataverse/settings; }
insert() { control -X POST --data "$2" "/dataverse/rows?set=$1"; }
change() { control -X PATCH --data "$3" "/dataverse/rows?set=$1&id=$2"; }

# verdicts CHECK <REPORT: of the advisory observations of a check, in order, from JSON.
verdicts() {
    node -e '
        const report = JSON.parse(require("fs").readFileSync(0));
        const seen = report.before.checks.filter(o => o.check === process.argv[1] && !o.required);
        process.stdout.write(seen.map(o => o.verdict).join(" "));' "$1"
}

# situations <REPORT: "P1 P2? ..." without P4.
situations() {
    node -e '
        const report = JSON.parse(require("fs").readFileSync(0));
        process.stdout.write(report.situations.filter(s => !["P4", "P5"].includes(s.id)).map(s => s.id + (s.likely ? "?" : "")).join(" "));'
}

# Rows that name another organization, as text in text.
foreign_rows() {
    local id
    for id in $(control /dataverse/rows | node -e \
        'JSON.parse(require("fs").readFileSync(0)).forEach(r => console.log(r.id))'); do
        change msdyn_dualwriteruntimeconfigs "$id" \
            '{"msdyn_unsecure":"{\"a\":\"{\\\"OrganizationName\\\":\\\"ProjOpsTest4\\\",\\\"key\\\":\\\"SECRET-MARKER\\\"}\"}"}'
    done
}

trace() {
    insert plugintracelogs "{\"typename\":\"Microsoft.Dynamics.Integrator.DualWriteRuntime.Plugins.PreCommmitPlugin\",
        \"createdon\":\"$1\",\"messageblock\":\"SECRET-MARKER\",
        \"exceptiondetails\":\"SecureConfig Organization ($2) doesn't match actual CRM Organization ($3)\"}"
}

@test "rows that name this organization: nothing is claimed" {
    settings '{"tracing":false}'
    status_of verify --format json
    [ "$status" = 2 ]
    [ "$(verdicts D-ROWS <<<"$output")" = ok ]
    [ "$(verdicts D-TRACE <<<"$output")" = unknown ]
    [ "$(verdicts D-PLUGIN <<<"$output")" = ok ]
    [ "$(verdicts D-COMPANY <<<"$output")" = ok ]
    [ "$(situations <<<"$output")" = "" ]
    says "tracing may be off"
}

@test "rows that name another one, as JSON in JSON: Dataverse was copied, and no row content is shown" {
    settings '{"tracing":false}'
    foreign_rows
    status_of verify --format json
    [ "$status" = 2 ]
    [ "$(verdicts D-ROWS <<<"$output")" = differs ]
    [ "$(situations <<<"$output")" = P2 ]
    says "organization named in the rows: ProjOpsTest4 (2 rows); the live organization is org6459f7a8"
    refute says SECRET-MARKER
    status_of verify
    says "ProjOpsTest4"
    refute says SECRET-MARKER
    control -X DELETE /log
    status_of clean --dry-run --rows-name-this-environment --reason test --format json
    [ "$status" = 0 ]
    says "ProjOpsTest4"
    [ "$(verdicts D-PLUGIN <<<"$output")" = "" ]
    refute logged pluginassemblies
}

@test "a trace against the rows ends in unknown, and one that came with the copy is left out" {
    trace 2026-11-20T09:15:00Z ProjOpsTest4 org6459f7a8
    status_of verify --format json
    [ "$(verdicts D-ROWS <<<"$output")" = unknown ]
    [ "$(verdicts D-TRACE <<<"$output")" = unknown ]
    [ "$(situations <<<"$output")" = "P2?" ]
    status_of verify --format json --restored-at 2026-11-21
    [ "$(verdicts D-ROWS <<<"$output" | cut -d' ' -f2)" = ok ]
    [ "$(situations <<<"$output")" = "" ]
    says "no trace of the dual-write plug-ins since the copy"
}

@test "a trace of another organization proves nothing" {
    foreign_rows
    trace 2026-11-20T09:15:00Z ProjOpsTest4 orgelsewhere
    status_of verify --format json
    [ "$(verdicts D-ROWS <<<"$output")" = unknown ]
    [ "$(verdicts D-TRACE <<<"$output")" = unknown ]
    [ "$(situations <<<"$output")" = "P2?" ]
    status_of verify --format json --restored-at 2026-11-21
    [ "$(situations <<<"$output")" = P2 ]
}

@test "rows and trace agree: both say it, and clean --dataverse-only mends it" {
    foreign_rows
    trace 2026-11-20T09:15:00Z ProjOpsTest4 org6459f7a8
    status_of verify --format json
    [ "$(verdicts D-ROWS <<<"$output")" = differs ]
    [ "$(verdicts D-TRACE <<<"$output")" = differs ]
    [ "$(situations <<<"$output")" = P2 ]
    refute says SECRET-MARKER
    control -X DELETE /log
    id=$(dataverse_write clean --dataverse-only --dry-run --format json | json plan_id)
    logged plugintracelogs
    control -X DELETE /log
    status_of dataverse_write clean --dataverse-only --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 0 ]
    refute logged plugintracelogs
    status_of verify_dataverse --format json
    [ "$status" = 0 ]
    [ "$(verdicts D-ROWS <<<"$output")" = "" ]
    [ "$(verdicts D-TRACE <<<"$output")" = unknown ]
    [ "$(situations <<<"$output")" = "" ]
}

@test "a disabled step and companies that are broken are hints, with the code of the owning team alone" {
    change sdkmessageprocessingsteps d1000000-0000-4000-8000-000000000001 '{"statecode":1}'
    change cdm_companies c1000000-0000-4000-8000-000000000001 '{"cdm_name":" "}'
    change cdm_companies c1000000-0000-4000-8000-000000000002 '{"_cdm_defaultowningteam_value":null}'
    status_of verify_dataverse --format json
    [ "$status" = 2 ]
    [ "$(verdicts D-PLUGIN <<<"$output")" = differs ]
    [ "$(verdicts D-COMPANY <<<"$output")" = "differs differs" ]
    says '"DWDVEV1007"'
    refute says '"DWDVEV1003"'
    says "DualWriteRuntime: Update of account"
}

@test "what may not be read, or fails, is unknown and changes no status" {
    for id in $(control /dataverse/rows | node -e \
        'JSON.parse(require("fs").readFileSync(0)).forEach(r => console.log(r.id))'); do
        control -X DELETE "/dataverse/rows?id=$id"
    done
    settings '{"may_system":false}'
    status_of verify_dataverse --format json
    [ "$status" = 0 ]
    for check in D-TRACE D-PLUGIN D-COMPANY; do
        [ "$(verdicts "$check" <<<"$output")" = unknown ]
    done
    settings '{"may_system":true}'
    for set in plugintracelogs cdm_companies pluginassemblies sdkmessageprocessingsteps 'top=50'; do
        fault "{\"at\":\"dv.request\",\"match\":\"$set\",\"times\":0,\"do\":\"error\",\"arg\":503,\"text\":\"html\"}"
    done
    SECONDS=0
    status_of verify_dataverse --format json
    [ "$status" = 0 ]
    [ "$SECONDS" -lt 5 ]
    for check in D-TRACE D-PLUGIN D-COMPANY; do
        [ "$(verdicts "$check" <<<"$output")" = unknown ]
    done
}
