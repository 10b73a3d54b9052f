#!/usr/bin/env bats
# The least that a login needs, as the README says it: exactly that is enough for each command, and one right less is
# named with what grants it, before anything changes.

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
    : >"$BATS_TEST_TMPDIR/table"
}

teardown() {
    sed 's/^/# /' "$BATS_TEST_TMPDIR/table" >&3
}

field=DUALWRITEPROJECTFIELDCONFIGURATION project=DUALWRITEPROJECTCONFIGURATION events=BUSINESSEVENTSDEFINITION

# rights RIGHT...: each on the three tables, in the words of the sandbox. A login may see definitions besides.
rights() {
    local right table list=view_definition
    for right in "$@"; do
        for table in "$field" "$project" "$events"; do list=$list,$right:$table; done
    done
    echo "$list"
}
looking() { rights select; }
removing() { rights select delete; }
restoring() { rights select delete insert; }

# without RIGHT LIST: the list but for that one.
without() { tr , '\n' <<<"$2" | grep -vxF -- "$1" | paste -sd, -; }

# login LIST: a new login with exactly these rights, in $login.
login() {
    login=least-$BATS_TEST_NUMBER-$RANDOM$RANDOM
    control -X POST --data "$login $1" /logins
}

settings() { control -X PATCH --data "$1" /dataverse/settings >/dev/null; }

# works STATUS COMMAND...: that status, and nothing was refused for want of a right.
works() {
    status_of "${@:2}"
    printf '%-28s %s\n' "${*:2:2}" "$status" >>"$BATS_TEST_TMPDIR/table"
    [ "$status" = "$1" ]
    refute says "permission was denied"
}

# refuses RIGHT TABLE COMMAND...: 12, nothing changed, and the GRANT that is missing stands there.
refuses() {
    local before
    before=$(rows_left)
    status_of "${@:3}"
    printf '  without %-44s %s\n' "$1 on $2" "$status" >>"$BATS_TEST_TMPDIR/table"
    [ "$status" = 12 ]
    grants "$1" "$2"
    [ "$(rows_left)" = "$before" ]
}

# grants RIGHT TABLE: the statement stands there, as somebody else can paste it.
grants() { cat "$BATS_TEST_TMPDIR"/{stdout,stderr} | tr -s ' \n' ' ' | grep -qE "GRANT ([A-Z]+, )?$1(, [A-Z]+)? ON dbo\.$2 TO \[$login\];"; }

axdb_verify() { verify_axdb --expect-dataverse-host "$own_host" "$@"; }
axdb_plan() {
    mapfile -t t < <(axdb_target)
    "$DWCLEAN" plan --axdb-only --class sandbox --expect-dataverse-host "$own_host" "${t[@]}" -U "$login" "$@" </dev/null
}
axdb_clean() { axdb_write clean --axdb-only "$@"; }

@test "AxDB: SELECT and VIEW DEFINITION are enough to look; one less is named" {
    login "$(looking)"
    mapfile -t t < <(axdb_target)
    works 2 axdb_verify -U "$login"
    works 0 "$DWCLEAN" env test "${t[@]}" -U "$login" </dev/null
    works 2 "$DWCLEAN" explain "SecureConfig Organization (a) does not match actual CRM Organization (b)" "${t[@]}" -U "$login" </dev/null
    # each thing that a run needs, and a looker lacks
    status_of axdb_write check --axdb-only -U "$login"
    [ "$status" = 2 ]
    for table in "$field" "$project" "$events"; do
        grants DELETE "$table"
    done
    # a table that cannot be read is never clean, also when the others are
    sql "DELETE FROM dbo.$field; DELETE FROM dbo.$project; DELETE FROM dbo.$events"
    works 0 axdb_verify -U "$login"
    for table in "$field" "$project" "$events"; do
        login "$(without "select:$table" "$(looking)")"
        refuses SELECT "$table" axdb_verify -U "$login"
    done
    fresh
    # definitions are advisory for a look, and it is said what was not checked
    login "$(without view_definition "$(looking)")"
    works 2 axdb_verify -U "$login"
    says "not checked"
    tr -s ' \n' ' ' <"$BATS_TEST_TMPDIR/stdout" | grep -q "GRANT VIEW DEFINITION TO "
}

@test "AxDB: SELECT, DELETE and VIEW DEFINITION are enough to plan, apply, clean and repair a map" {
    login "$(removing)"
    works 0 axdb_write check --axdb-only -U "$login"
    mapfile -t t < <(axdb_target)
    works 0 axdb_plan --out "$BATS_TEST_TMPDIR/plan"
    id=$("$DWCLEAN" show "$BATS_TEST_TMPDIR/plan" --format json | json plan_id)
    works 0 "$DWCLEAN" apply "$BATS_TEST_TMPDIR/plan" --class sandbox --runs-dir "$runs" --expect-dataverse-host "$own_host" \
        "${t[@]}" -U "$login" --maps-are-stopped --reason test --yes --plan-id "$id" </dev/null
    [ "$(rows_left)" = "0 0 0 2" ]
    fresh
    works 0 confirmed axdb_clean -U "$login"
    [ "$(rows_left)" = "0 0 0 2" ]
    fresh
    map=$(sed -n "s/.*N'\(Customers V3\)'.*/\1/p" "$SOURCE_DIR/fixtures/axdb/small.sql" | head -n 1)
    works 0 confirmed axdb_write repair-map --map "${map:-Customers V3}:accounts" -U "$login"
    [ "$(rows_left)" != "2 2 3 2" ]
}

@test "AxDB: one right less than that is refused with the statement that grants it" {
    for table in "$field" "$project" "$events"; do
        for right in select delete; do
            login "$(without "$right:$table" "$(removing)")"
            refuses "${right^^}" "$table" axdb_clean --dry-run -U "$login"
        done
    done
    # a plan changes nothing, and would be refused by whoever applies it
    refuses DELETE "$events" axdb_plan --out "$BATS_TEST_TMPDIR/plan"
    [ ! -e "$BATS_TEST_TMPDIR/plan" ]
    login "$(without view_definition "$(removing)")"
    before=$(rows_left)
    status_of axdb_clean --dry-run -U "$login"
    [ "$status" = 4 ]
    tr -s ' \n' ' ' <"$BATS_TEST_TMPDIR/stderr" | grep -q "GRANT VIEW DEFINITION TO "
    says --allow-triggers
    [ "$(rows_left)" = "$before" ]
}

@test "AxDB: undo needs INSERT on what it fills, and nothing else besides; one less is refused" {
    login "$(removing)"
    remover=$login
    works 0 confirmed axdb_clean -U "$remover"
    run=$(basename "$(newest_run)")
    for table in "$field" "$project" "$events"; do
        login "$(without "insert:$table" "$(restoring)")"
        refuses INSERT "$table" axdb_write undo "$run" --axdb-only --dry-run -U "$login"
    done
    login=$remover
    refuses INSERT "$field" axdb_write undo "$run" --axdb-only --dry-run -U "$remover"
    login "$(rights select insert)"
    works 0 confirmed axdb_write undo "$run" --axdb-only -U "$login"
    [ "$(rows_left)" = "2 2 3 2" ]
}

@test "AxDB: resume settles and finishes with the rights of clean" {
    login "$(removing),applock"
    fault '{"at":"tds.commit.after","do":"cut"}'
    id=$(axdb_clean -U "$login" --dry-run --format json | json plan_id)
    works 3 axdb_clean -U "$login" --maps-are-stopped --reason test --yes --plan-id "$id"
    run=$(basename "$(newest_run)")
    works 0 axdb_write resume "$run" --axdb-only -U "$login" --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$(rows_left)" = "0 0 0 2" ]
}

@test "Dataverse: Read is enough to look, Read and Delete to remove, Create besides to put back; one less is named" {
    settings '{"may_create":false,"may_delete":false,"may_write":false,"may_override":false}'
    works 2 verify_dataverse
    status_of dataverse_write clean --dataverse-only --dry-run
    [ "$status" = 12 ]
    says prvDelete
    settings '{"may_delete":true}'
    works 0 confirmed dataverse_write clean --dataverse-only
    [ "$(rows_left)" = "2 2 3 0" ]
    run=$(basename "$(newest_run)")
    status_of dataverse_write undo "$run" --dataverse-only --dry-run
    [ "$status" = 12 ]
    says prvCreate
    settings '{"may_delete":false,"may_create":true}'
    works 0 confirmed dataverse_write undo "$run" --dataverse-only
    [ "$(rows_left)" = "2 2 3 2" ]
    settings '{"may_read":false}'
    status_of verify_dataverse
    [ "$status" = 12 ]
    says prvRead
    # the user's own rows alone, or those of its business unit, are not the table
    settings '{"may_read":true,"read_depth":"Global"}'
    for id in $(control /dataverse/rows | node -e \
        'for (const row of JSON.parse(require("fs").readFileSync(0))) console.log(row.id)'); do
        control -X DELETE "/dataverse/rows?id=$id" >/dev/null
    done
    works 0 verify_dataverse
    settings '{"read_depth":"Local"}'
    status_of verify_dataverse
    [ "$status" = 12 ]
    says "organization-level Read"
}

@test "what only reads files needs no login at all" {
    login "$(removing)"
    works 0 confirmed axdb_clean -U "$login"
    run=$(basename "$(newest_run)")
    control -X DELETE /log
    unset DWCLEAN_PASSWORD DWCLEAN_CLIENT_SECRET
    works 0 "$DWCLEAN" runs --runs-dir "$runs"
    works 0 "$DWCLEAN" show "$run" --runs-dir "$runs"
    works 0 "$DWCLEAN" show "$run" --verify --runs-dir "$runs"
    works 0 "$DWCLEAN" export "$run" --redact --out "$BATS_TEST_TMPDIR/bundle.tar" --runs-dir "$runs"
    works 0 "$DWCLEAN" export "$run" --sql --out "$BATS_TEST_TMPDIR/undo.sql" --runs-dir "$runs"
    works 0 "$DWCLEAN" prune --older-than 0s --dry-run --runs-dir "$runs"
    works 0 "$DWCLEAN" version
    refute logged '"kind"'
}
