#!/usr/bin/env bats
# plan, show, apply: what is executed is what was shown, and nothing else.

setup_file() {
    load support
    boot scenario-a
    export VALIDATOR="$BATS_FILE_TMPDIR/validator"
    mkdir -p "$VALIDATOR"
    cp "$SOURCE_DIR/tests/cli/package.json" "$SOURCE_DIR/tests/cli/package-lock.json" \
        "$SOURCE_DIR/tests/cli/validate_json.mjs" "$VALIDATOR"
    (cd "$VALIDATOR" && npm ci --silent --no-audit --no-fund)
}
teardown_file() {
    load support
    halt
}
setup() {
    load support
    use_sandbox
    fresh
    F=$BATS_TEST_TMPDIR/plan.ndjson
}

plan() { mapfile -t t < <(axdb_target; dataverse_target); "$DWCLEAN" plan --class sandbox "${t[@]}" "$@" </dev/null; }
plan_axdb() { mapfile -t t < <(axdb_target); "$DWCLEAN" plan --class sandbox --expect-dataverse-host "$own_host" "${t[@]}" "$@" </dev/null; }
apply() { both_write apply "$@"; }
apply_axdb() { axdb_write apply "$@"; }
dataverse_write_apply() { dataverse_write apply "$@"; }
id_of() { tail -n 1 "$1" | json plan_id; }
# applied FILE [option...]: as a pipeline does it.
applied() { apply "$1" --maps-are-stopped --reason test --yes --plan-id "$(id_of "$1")" "${@:2}"; }
show() { "$DWCLEAN" show "$@" </dev/null; }
# aged FILE SHIFT: its times moved by so many ms, and the sum made anew.
aged() {
    node -e '
        const fs = require("fs"), crypto = require("crypto");
        const [file, shift] = process.argv.slice(1);
        const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n");
        const head = JSON.parse(lines[0]), last = JSON.parse(lines.at(-1));
        for (const name of ["created_utc", "expires_utc"]) {
            const ms = Number(head[name + "_ms"]) + Number(shift);
            head[name + "_ms"] = String(ms);
            head[name] = new Date(ms).toISOString();
        }
        lines[0] = JSON.stringify(head);
        last.sha256 = crypto.createHash("sha256").update(lines.slice(0, -1).join("\n") + "\n").digest("hex");
        lines[lines.length - 1] = JSON.stringify(last);
        fs.writeFileSync(file, lines.join("\n") + "\n");' "$1" "$2"
}

@test "plan reads, and writes nothing but its file, which holds no row" {
    before=$(rows_left)
    status_of plan --out "$F"
    [ "$status" = 0 ]
    says "PLANNED"
    says "WOULD back up and delete 1043"
    says "Project rows that WOULD go, by host"
    says "Event rows that WOULD go, by channel"
    says "contoso-prod.crm4.dynamics.com"
    says "plan expires"
    says "dwclean apply '$F' -S"
    [ "$(stat -c %a "$F")" = 600 ]
    [ "$(rows_left)" = "$before" ]
    refute logged 'DELETE FROM dbo.\['
    refute logged http-part
    refute grep -q "DualWrite1\|contoso-prod.crm4\|Sandbox-Passw0rd\|$SANDBOX_CLIENT_SECRET" "$F"
    [ "$(wc -l <"$F")" = $((1043 + 4 + 2)) ]
    # nothing else is left beside it
    [ "$(ls "$BATS_TEST_TMPDIR" | grep -c plan)" = 1 ]
}

@test "plan without --out writes nothing" {
    cd "$BATS_TEST_TMPDIR"
    status_of plan
    [ "$status" = 0 ]
    says "give --out FILE"
    [ "$(find "$BATS_TEST_TMPDIR" -newer "$SANDBOX_ENV" -type f ! -name stdout ! -name stderr | wc -l)" = 0 ]
}

@test "plan never replaces a file, and wants its directory" {
    echo mine >"$F"
    status_of plan --out "$F"
    [ "$status" = 13 ]
    says "is there already"
    [ "$(cat "$F")" = mine ]
    ln -s /nowhere "$BATS_TEST_TMPDIR/link"
    status_of plan --out "$BATS_TEST_TMPDIR/link"
    [ "$status" = 13 ]
    status_of plan --out "$BATS_TEST_TMPDIR/no/such/plan"
    [ "$status" = 13 ]
    status_of plan --out -
    [ "$status" = 64 ]
}

@test "a plan that a guard refuses leaves no file" {
    sql "UPDATE TOP (1) dbo.DUALWRITEPROJECTCONFIGURATION SET EXTERNALENVIRONMENTURL = N'https://$own_host/'"
    status_of plan --out "$F"
    [ "$status" = 4 ]
    [ ! -e "$F" ]
    [ "$(ls "$BATS_TEST_TMPDIR" | grep -c plan)" = 0 ]
}

@test "--detailed-exitcode tells whether there is something to do" {
    status_of plan --detailed-exitcode
    [ "$status" = 2 ]
    says "exit status   2"
    sql "DELETE FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION; DELETE FROM dbo.DUALWRITEPROJECTCONFIGURATION;
        DELETE FROM dbo.BUSINESSEVENTSDEFINITION"
    status_of plan_axdb --axdb-only --detailed-exitcode --out "$F"
    [ "$status" = 0 ]
    says "nothing to do"
    status_of apply_axdb "$F" --maps-are-stopped --yes --plan-id "$(id_of "$F")"
    [ "$status" = 0 ]
    [ ! -e "$runs" ]
    status_of clean --dry-run --detailed-exitcode
    [ "$status" = 64 ]
    status_of plan --detailed-exitcode -d nowhere
    [ "$status" = 12 ]
}

@test "a saved plan names the same plan as a dry run" {
    plan --out "$F" >/dev/null
    [ "$(id_of "$F")" = "$(plan_id)" ]
}

@test "show proves the file and says what it holds and how long it is good" {
    plan --out "$F" >/dev/null
    status_of show "$F"
    [ "$status" = 0 ]
    says "$(id_of "$F")"
    says "23 h 59 min left"
    says "$(sha256sum "$F" | cut -d' ' -f1)"
    says "BUSINESSEVENTSDEFINITION                     958"
    refute says "5637144576:"
    status_of show -v "$F"
    says "5637144576:"
    status_of show -v --statements --format json "$F"
    [ "$status" = 0 ]
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/plan.schema.json" "$BATS_TEST_TMPDIR/stdout"
    [ "$(json rows.length <"$BATS_TEST_TMPDIR/stdout")" = 1043 ]
    [ "$(json tables.2.rows <"$BATS_TEST_TMPDIR/stdout")" = 958 ]
    aged "$F" -90000000
    status_of show "$F"
    [ "$status" = 0 ]
    says "EXPIRED"
    says "OVER"
}

@test "a damaged plan is found, wherever the byte is" {
    plan --out "$F" >/dev/null
    size=$(stat -c %s "$F")
    id=$(id_of "$F")
    for at in 3 $((size / 4)) $((size / 2)) $((size - 300)) $((size - 100)) $((size - 3)); do
        cp "$F" "$F.bad"
        byte=$(dd if="$F" bs=1 skip="$at" count=1 2>/dev/null)
        [ "$byte" = 7 ] && new=8 || new=7
        printf %s "$new" | dd of="$F.bad" bs=1 seek="$at" conv=notrunc 2>/dev/null
        status_of show "$F.bad"
        [ "$status" = 13 ]
        status_of apply "$F.bad" --maps-are-stopped --yes --plan-id "$id"
        [ "$status" = 13 ]
    done
    head -n 500 "$F" >"$F.bad"
    status_of show "$F.bad"
    [ "$status" = 13 ]
    says "has no last line"
    # a line that is none is named
    sed '7s/"table":/"tible":/' "$F" >"$F.bad"
    status_of show "$F.bad"
    [ "$status" = 13 ]
    says "line 7 is not a row of a plan"
    echo "not a plan" >"$F.bad"
    status_of show "$F.bad"
    [ "$status" = 13 ]
    # the sum is right, and the plan-id is not that of these rows
    aged "$F" 0
    node -e '
        const fs = require("fs"), crypto = require("crypto"), file = process.argv[1];
        const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n");
        lines.splice(6, 1);
        const last = JSON.parse(lines.pop());
        last.rows = String(Number(last.rows) - 1);
        last.sha256 = crypto.createHash("sha256").update(lines.join("\n") + "\n").digest("hex");
        fs.writeFileSync(file, [...lines, JSON.stringify(last)].join("\n") + "\n");' "$F"
    status_of show "$F"
    [ "$status" = 13 ]
    says "does not hold the plan that it names"
    status_of apply "$F" --maps-are-stopped --yes --plan-id "$id"
    [ "$status" = 13 ]
    [ ! -e "$runs" ]
}

@test "apply sends what show --statements has printed, in that order" {
    plan --out "$F" >/dev/null
    show "$F" --statements --format json >"$BATS_TEST_TMPDIR/shown.json"
    show "$F" --statements >"$BATS_TEST_TMPDIR/shown.txt"
    grep -q "^DELETE FROM dbo.\[BUSINESSEVENTSDEFINITION\];" "$BATS_TEST_TMPDIR/shown.txt"
    grep -q "^COMMIT TRANSACTION;" "$BATS_TEST_TMPDIR/shown.txt"
    control -X DELETE /log
    status_of applied "$F"
    [ "$status" = 0 ]
    control /log >"$BATS_TEST_TMPDIR/log"
    result=$(node "$SOURCE_DIR/tests/cli/compare_statements.mjs" "$BATS_TEST_TMPDIR/shown.json" "$BATS_TEST_TMPDIR/log")
    echo "# $result" >&3
    [[ "$result" == *"17 deletes"* ]]
    # and the comparison is one that can fail
    sed -i 's/DELETE FROM dbo.\[BUSINESSEVENTSDEFINITION\]/DELETE FROM dbo.[OTHER]/' "$BATS_TEST_TMPDIR/log"
    refute node "$SOURCE_DIR/tests/cli/compare_statements.mjs" "$BATS_TEST_TMPDIR/shown.json" "$BATS_TEST_TMPDIR/log"
}

@test "so it is for one half, some channels, and one map" {
    sql "UPDATE dbo.BUSINESSEVENTSDEFINITION SET CHANNEL = N'Other' WHERE CHANNEL = N'DualWrite3'"
    compare() {
        show "$F" --statements --format json >"$BATS_TEST_TMPDIR/shown.json"
        control -X DELETE /log
        status_of "$1" "$F" --maps-are-stopped --reason test --yes --plan-id "$(id_of "$F")"
        [ "$status" = 0 ] || return 1
        control /log >"$BATS_TEST_TMPDIR/log"
        result=$(node "$SOURCE_DIR/tests/cli/compare_statements.mjs" "$BATS_TEST_TMPDIR/shown.json" \
            "$BATS_TEST_TMPDIR/log") || return 1
        echo "# $result" >&3
        rm "$F"
    }
    status_of plan_axdb --map "Customers V3:accounts" --out "$F"
    [ "$status" = 0 ]
    says "WOULD GO"
    compare apply_axdb
    says "the rows of the map are backed up, deleted"
    status_of plan_axdb --axdb-only --channel DualWrite1 --channel DualWrite2 --out "$F"
    [ "$status" = 0 ]
    says "WOULD KEEP"
    compare apply_axdb
    says "rows of other channels kept"
    mapfile -t t < <(dataverse_target)
    "$DWCLEAN" plan --class sandbox --dataverse-only "${t[@]}" --out "$F" >/dev/null
    compare dataverse_write_apply
    [[ "$result" == *"17 deletes"* ]]
}
@test "apply executes the plan, and its run says which file it was" {
    plan --out "$F" >/dev/null
    id=$(id_of "$F")
    status_of applied "$F" --format json
    [ "$status" = 0 ]
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/outcome.schema.json" "$BATS_TEST_TMPDIR/stdout"
    [ "$(rows_left)" = "0 0 0 0" ]
    [ "$(json outcome <"$BATS_TEST_TMPDIR/stdout")" = "done" ]
    [ "$(json plan_id <"$BATS_TEST_TMPDIR/stdout")" = "$id" ]
    run_dir=$(json run_path <"$BATS_TEST_TMPDIR/stdout")
    [ "$(json facts.plan_file <"$run_dir/run.json")" = "$F" ]
    [ "$(json facts.plan_file_sha256 <"$run_dir/run.json")" = "$(sha256sum "$F" | cut -d' ' -f1)" ]
    # the run has a plan of its own, of the same rows
    [ "$(id_of "$run_dir/plan.ndjson")" = "$id" ]
    [ "$(sed '1d;$d' "$F" | sha256sum)" = "$(sed '1d;$d' "$run_dir/plan.ndjson" | sha256sum)" ]
    (cd "$run_dir" && sha256sum --quiet -c SHA256SUMS)
    # and what it removed comes back
    status_of confirmed both_write undo last --runs-dir "$runs"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "34 34 958 17" ]
    # the old plan is stale now
    status_of applied "$F"
    [ "$status" = 5 ]
}

@test "apply --dry-run says whether the plan still fits" {
    plan --out "$F" >/dev/null
    status_of apply "$F" --dry-run
    [ "$status" = 0 ]
    says "WOULD back up and delete 1043"
    [ ! -e "$runs" ]
    sql "DELETE TOP (3) FROM dbo.BUSINESSEVENTSDEFINITION"
    status_of apply "$F" --dry-run
    [ "$status" = 5 ]
    refute says "WOULD"
}

@test "a plan whose rows changed is refused with the difference, and nothing is made" {
    plan --out "$F" >/dev/null
    sql "DELETE FROM dbo.BUSINESSEVENTSDEFINITION WHERE RECID IN
            (SELECT TOP (12) RECID FROM dbo.BUSINESSEVENTSDEFINITION ORDER BY RECID);
        UPDATE dbo.DUALWRITEPROJECTCONFIGURATION SET STATUS = 7 WHERE RECID IN
            (SELECT TOP (2) RECID FROM dbo.DUALWRITEPROJECTCONFIGURATION ORDER BY RECID)"
    control -X POST --data '{"msdyn_name":"written after the plan"}' /dataverse/rows
    before=$(rows_left)
    status_of applied "$F"
    [ "$status" = 5 ]
    says "12 rows gone, 1 new, 2 changed"
    says "and 2 more"
    [ "$(rows_left)" = "$before" ]
    [ ! -e "$runs" ]
    refute logged 'DELETE FROM dbo.\['
    refute logged http-part
    status_of applied "$F" --format json
    [ "$status" = 5 ]
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/outcome.schema.json" "$BATS_TEST_TMPDIR/stdout"
    [ "$(json difference.2.gone.rows <"$BATS_TEST_TMPDIR/stdout")" = 12 ]
    [ "$(json difference.2.gone.first.length <"$BATS_TEST_TMPDIR/stdout")" = 10 ]
    [ "$(json difference.1.changed.rows <"$BATS_TEST_TMPDIR/stdout")" = 2 ]
    [ "$(json difference.3.new.rows <"$BATS_TEST_TMPDIR/stdout")" = 1 ]
    [ "$(json outcome <"$BATS_TEST_TMPDIR/stdout")" = stale ]
}

@test "columns that changed are named" {
    plan_axdb --axdb-only --out "$F" >/dev/null
    sql "ALTER TABLE dbo.DUALWRITEPROJECTCONFIGURATION ADD NEWCOLUMN int NULL"
    status_of apply_axdb "$F" --maps-are-stopped --yes --plan-id "$(id_of "$F")"
    sql "ALTER TABLE dbo.DUALWRITEPROJECTCONFIGURATION DROP COLUMN NEWCOLUMN" || true
    [ "$status" = 5 ]
    says "column NEWCOLUMN was added"
}

@test "a plan for another target is refused with both values" {
    plan --out "$F" >/dev/null
    mapfile -t t < <(axdb_target; dataverse_target)
    status_of apply "$F" --maps-are-stopped --yes --plan-id "$(id_of "$F")" -S "127.0.0.1,$SANDBOX_TDS_PORT"
    [ "$status" = 64 ] # two servers
    status_of "$DWCLEAN" apply "$F" --class sandbox --runs-dir "$runs" "${t[@]:2}" -S "127.0.0.1,$SANDBOX_TDS_PORT" \
        --maps-are-stopped --yes --plan-id "$(id_of "$F")"
    [ "$status" = 5 ]
    says "its server is localhost,$SANDBOX_TDS_PORT, here it is 127.0.0.1,$SANDBOX_TDS_PORT"
    # a half that is not named
    status_of apply_axdb "$F" --maps-are-stopped --yes --plan-id "$(id_of "$F")"
    [ "$status" = 5 ]
    says "no Dataverse organization is named"
    # a half that is not the plan's is left alone
    rm "$F"
    plan_axdb --axdb-only --out "$F" >/dev/null
    status_of applied "$F" --expect-dataverse-host "$own_host"
    [ "$status" = 0 ]
    says "Dataverse is left alone"
    [ "$(rows_left)" = "0 0 0 17" ]
}

@test "an expired plan, and one from the future, are refused" {
    plan --out "$F" >/dev/null
    aged "$F" -86400001
    status_of applied "$F"
    [ "$status" = 5 ]
    says "the plan has expired at"
    aged "$F" 172800000
    status_of applied "$F"
    [ "$status" = 5 ]
    says "made in the future"
    [ ! -e "$runs" ]
}

@test "the scope is the plan's: scope options beside it are wrong use" {
    plan --out "$F" >/dev/null
    for option in --channels=all --channel=DualWrite1 --map=a:b --project=p --wrong-url-only; do
        status_of applied "$F" "$option"
        [ "$status" = 64 ]
    done
    status_of plan --map a:b --channel DualWrite1
    [ "$status" = 64 ]
    status_of plan --project p
    [ "$status" = 64 ]
    status_of apply
    [ "$status" = 64 ]
    says "PLAN is a file"
    status_of apply "$BATS_TEST_TMPDIR/none" --maps-are-stopped --yes --plan-id "$(id_of "$F")"
    [ "$status" = 13 ]
}

@test "apply is confirmed like clean: not by the file alone" {
    plan --out "$F" >/dev/null
    status_of apply "$F"
    [ "$status" = 4 ]
    status_of apply "$F" --maps-are-stopped
    [ "$status" = 4 ]
    says "nobody is there to confirm"
    status_of apply "$F" --maps-are-stopped --yes
    [ "$status" = 4 ]
    says "--yes needs --plan-id"
    status_of apply "$F" --maps-are-stopped --yes --plan-id 0000000000000000000000000000000000000000000000000000000000000000
    [ "$status" = 5 ]
    [ ! -e "$runs" ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "production wants a saved plan, its name and a reason" {
    mapfile -t t < <(axdb_target; dataverse_target)
    name="AxDB@localhost,$SANDBOX_TDS_PORT"
    prod() { "$DWCLEAN" "$1" --class production "${t[@]}" "${@:2}" </dev/null; }
    id=$(prod clean --dry-run --format json | json plan_id)
    status_of prod clean --runs-dir "$runs" --allow-production "$name" --reason CHG --maps-are-stopped --yes --plan-id "$id"
    [ "$status" = 4 ]
    says "a change of production needs a saved plan"
    says "dwclean plan --out FILE"
    [ ! -e "$runs" ]
    prod plan --out "$F" >/dev/null
    status_of prod apply "$F" --runs-dir "$runs" --reason CHG --maps-are-stopped --yes --plan-id "$id"
    [ "$status" = 4 ]
    says "counts as production"
    status_of prod apply "$F" --runs-dir "$runs" --allow-production "$name" --maps-are-stopped --yes --plan-id "$id"
    [ "$status" = 4 ]
    says "needs a reason"
    [ "$(rows_left)" = "34 34 958 17" ]
    status_of prod apply "$F" --runs-dir "$runs" --allow-production "$name" --reason CHG --maps-are-stopped --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "a target that the configuration calls production is one under any name" {
    cat >"$BATS_TEST_TMPDIR/config.ini" <<END
[env "uat"]
class = sandbox
server = localhost,$SANDBOX_TDS_PORT
database = AxDB
user = dwclean
cacert = $SANDBOX_CA
expect_dataverse_host = $own_host

[env "prod"]
class = production
server = tcp:LOCALHOST,$SANDBOX_TDS_PORT
database = axdb
END
    env_uat() { "$DWCLEAN" "$1" --env uat --config "$BATS_TEST_TMPDIR/config.ini" --axdb-only "${@:2}" </dev/null; }
    for command in "clean --dry-run" plan "clean --runs-dir $runs --maps-are-stopped --yes --plan-id 0000000000000000000000000000000000000000000000000000000000000000"; do
        # shellcheck disable=SC2086
        status_of env_uat $command
        [ "$status" = 4 ]
        says 'environment "prod" is production'
        says "config.ini:9"
    done
    # without --env, called a sandbox on the command line
    status_of clean --axdb-only --expect-dataverse-host "$own_host" --config "$BATS_TEST_TMPDIR/config.ini" --dry-run
    [ "$status" = 4 ]
    # by the organization's own host, though another name was dialled
    sed -i "s/^server = tcp.*/dataverse_url = https:\/\/$own_host/;/^database = axdb/d" "$BATS_TEST_TMPDIR/config.ini"
    status_of clean --config "$BATS_TEST_TMPDIR/config.ini" --dry-run
    [ "$status" = 4 ]
    says "same Dataverse host"
    # another database is another target
    status_of env_uat plan
    [ "$status" = 0 ]
    # reading is never refused
    status_of verify --config "$BATS_TEST_TMPDIR/config.ini"
    [ "$status" = 2 ]
}

@test "a change that arrives between the comparison and the lock is still refused" {
    plan --out "$F" >/dev/null
    fault '{"at":"tds.request","do":"sql","match":"BEGIN TRANSACTION","text":"DELETE TOP (1) FROM dbo.BUSINESSEVENTSDEFINITION"}'
    status_of applied "$F"
    [ "$status" = 5 ]
    [ "$(rows_left)" = "34 34 957 17" ]
}
