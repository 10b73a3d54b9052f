#!/usr/bin/env bats
# What is loaded when it is needed, on a machine where it is missing: it is named with its package where it is needed, and
# missed nowhere else. Each case hides a library in a mount namespace of its own.

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
    unshare -rm true 2>/dev/null || skip "no mount namespace of one's own here"
}

# without LIBRARY COMMAND...: with an empty file in its place. The command is dwclean, or a function of support.bash.
without() {
    local file
    file=$(realpath "$(ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }')")
    [ -f "$file" ]
    printf '#!/bin/sh\nexec unshare -rm sh -c '\''mount --bind /dev/null "$0" && exec "$@"'\'' "%s" "%s" "$@"\n' "$file" "$DWCLEAN" \
        >"$BATS_TEST_TMPDIR/without"
    chmod +x "$BATS_TEST_TMPDIR/without"
    DWCLEAN=$BATS_TEST_TMPDIR/without status_of "${@:2}"
}

axdb_plan() { mapfile -t t < <(axdb_target); "$DWCLEAN" plan --axdb-only --class sandbox "${t[@]}" "$@" </dev/null; }
pinned() { verify_axdb --expect-dataverse-host contoso-uat.crm4.dynamics.com "$@"; }

@test "without libcurl: AxDB as ever, Dataverse names it" {
    without libcurl.so.4 pinned --format json
    [ "$status" = 2 ]
    without libcurl.so.4 verify_dataverse
    [ "$status" = 1 ]
    says "a library cannot be loaded: libcurl.so.4"
    says "Install libcurl (Debian: libcurl4)."
    status_of "$BATS_TEST_TMPDIR/without" version
    [ "$status" = 0 ]
    says "libcurl cannot be loaded"
}

@test "without OpenSSL: a look at AxDB as ever; a run that needs digests does not begin" {
    without libcrypto.so.3 pinned --format json
    [ "$status" = 2 ]
    without libcrypto.so.3 axdb_write clean --axdb-only --channels all --dry-run
    [ "$status" = 1 ]
    says "Install OpenSSL (Debian: libssl3)."
    [ ! -d "$runs" ] || [ -z "$(ls "$runs")" ]
    without libcrypto.so.3 axdb_plan --channels all --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 1 ]
    without libcrypto.so.3 pinned --format html
    [ "$status" = 1 ]
    status_of "$BATS_TEST_TMPDIR/without" runs --runs-dir "$runs"
    [ "$status" = 1 ]
    says "Install OpenSSL (Debian: libssl3)."
}

@test "without OpenSSL: why TLS failed is not guessed" {
    start_sandbox "$BATS_TEST_TMPDIR/other" small --certificate other-ca
    other_pid=$sandbox_pid
    without libssl.so.3 pinned
    kill "$other_pid"
    [ "$status" = 10 ]
    refute says "TLS version"
    says "a library cannot be loaded: libssl.so.3"
    says "Install OpenSSL (Debian: libssl3)."
}

@test "without libsmartcols: the report as JSON as ever, as text not at all" {
    without libsmartcols.so.1 pinned --format json
    [ "$status" = 2 ]
    without libsmartcols.so.1 pinned
    [ "$status" = 1 ]
    says "Install libsmartcols (Debian: libsmartcols1)."
}
