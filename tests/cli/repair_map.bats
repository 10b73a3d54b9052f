#!/usr/bin/env bats
# The rows of one map, and no others.

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
}

map='Customers V3:accounts'

@test "a map is needed, and must be there" {
    status_of axdb_write repair-map --dry-run
    [ "$status" = 64 ]
    says --map
    status_of axdb_write repair-map --map Customers --dry-run
    [ "$status" = 64 ]
    status_of axdb_write repair-map --map 'No such:map' --dry-run
    [ "$status" = 4 ]
}

@test "the dry run shows the rows of the map; the change removes them and keeps the events" {
    status_of axdb_write repair-map --map "$map" --dry-run
    [ "$status" = 0 ]
    says "Project rows of the map"
    says "WOULD GO"
    axdb_write repair-map --map "$map" --dry-run --format json >"$BATS_TEST_TMPDIR/report.json"
    goes=$(json map_rows.length <"$BATS_TEST_TMPDIR/report.json")
    [ "$goes" -ge 1 ]
    status_of confirmed axdb_write repair-map --map "$map"
    [ "$status" = 0 ]
    says "KEPT"
    [ "$(rows_left)" = "$((34 - goes)) $((34 - goes)) 958 17" ]
    # and it can be undone
    status_of confirmed axdb_write undo last --merge
    [ "$status" = 0 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "Dataverse may be looked at, and is not changed" {
    status_of confirmed both_write repair-map --map "$map"
    [ "$status" = 0 ]
    says org6459f7a8
    rows_left | grep -q ' 958 17$'
}

@test "one project of the map, and only wrong URLs" {
    project=$(axdb_write repair-map --map "$map" --dry-run --format json | json map_rows.0.project)
    status_of confirmed axdb_write repair-map --map "$map" --project "$project" --wrong-url-only
    [ "$status" = 0 ]
    [ "$(rows_left)" = "33 33 958 17" ]
    status_of axdb_write repair-map --map "$map" --project "not one" --dry-run
    [ "$status" = 4 ]
}

@test "a URL or a name that is no text is nobody's: nothing is removed" {
    for column in EXTERNALENVIRONMENTURL PROJECTNAME INTERNALENTITYNAME; do
        fresh
        sql "UPDATE dbo.DUALWRITEPROJECTCONFIGURATION SET $column = LEFT($column, 40) + NCHAR(55296) WHERE RECID = 1"
        sql "UPDATE dbo.DUALWRITEPROJECTCONFIGURATION SET $column = LEFT($column, 40) + NCHAR(55296) WHERE EXTERNALENTITYNAME = N'accounts'"
        status_of axdb_write repair-map --map "$map" --wrong-url-only --dry-run
        [ "$status" = 4 ]
        says "not well-formed text"
        [ "$(rows_left)" = "34 34 958 17" ]
    done
}

@test "a field row whose name differs in case only is not left behind in silence" {
    sql "UPDATE f SET PROJECTNAME = LOWER(f.PROJECTNAME) FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION AS f" ||
        sql "UPDATE dbo.DUALWRITEPROJECTFIELDCONFIGURATION SET PROJECTNAME = LOWER(PROJECTNAME)"
    status_of axdb_write repair-map --map "$map" --dry-run
    [ "$status" = 4 ]
    says "written differently"
}
