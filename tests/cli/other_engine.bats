#!/usr/bin/env bats
# The AxDB half on an engine of another make: text stored as UTF-8, gaps, other error numbers.

setup_file() {
    load support
    boot scenario-a --utf8-engine
}

teardown_file() {
    load support
    halt
}

setup() {
    load support
    use_sandbox
    fresh
    export DWCLEAN_TEST_UTF8_ENGINE=1
}

@test "without the test switch such an engine is refused" {
    unset DWCLEAN_TEST_UTF8_ENGINE
    status_of verify_axdb
    [ "$status" = 14 ]
}

@test "verify reads hosts, channels and counts, and calls unknown what it cannot ask" {
    status_of verify_axdb --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 2 ]
    for word in contoso-prod.crm4.dynamics.com DualWrite1 958; do says "$word"; done
    says "keys and policies were not checked"
    says "other sessions were not checked"
}

@test "clean, then undo: every row is back" {
    status_of axdb_write clean --axdb-only --dry-run
    [ "$status" = 4 ]
    says --allow-triggers
    status_of confirmed axdb_write clean --axdb-only --allow-triggers
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 17" ]
    run=$(basename "$(ls -d "$runs"/2* | tail -1)")
    zstd -dc "$runs/$run/backup/project.ndjson.zst" | grep -q '"stored":"utf-8"'
    status_of confirmed axdb_write undo "$run" --allow-triggers
    [ "$status" = 0 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}
