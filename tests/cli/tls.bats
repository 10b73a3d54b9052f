#!/usr/bin/env bats
# What TLS must refuse, on both halves, cell by cell: nothing signs in, and no secret leaves. More of each half: connect.bats,
# contract/test_axdb_connect.c, contract/test_runtime_connect.c.

setup_file() {
    load support
    boot small
    local name
    for name in expired wrong-name other-ca self-signed by-self-signed no-tls; do
        mkdir "$BATS_FILE_TMPDIR/$name"
        case $name in
        no-tls) set -- --tds-encryption none ;;
        *) set -- --certificate "$name" ;;
        esac
        "$SANDBOX_BINARY" --seed small --dir "$BATS_FILE_TMPDIR/$name" --fixtures "$SOURCE_DIR/fixtures" --with-parent \
            "$@" >"$BATS_FILE_TMPDIR/$name/out" 2>&1 </dev/null 3>&- &
    done
    for name in expired wrong-name other-ca self-signed by-self-signed no-tls; do
        for _ in $(seq 600); do [ -f "$BATS_FILE_TMPDIR/$name/env" ] && break; sleep 0.05; done
        [ -f "$BATS_FILE_TMPDIR/$name/env" ]
    done
}

teardown_file() {
    load support
    for SANDBOX_ENV in "$BATS_FILE_TMPDIR"/*/env; do halt; done
}

setup() {
    load support
    use_sandbox
    fresh
    cells=0
}

teardown() {
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
}

# at NAME: that sandbox from here on. Each has an authority of its own, which is the one that is trusted.
at() {
    . "$BATS_FILE_TMPDIR/$1/env"
    control -X DELETE /faults
    control -X DELETE /log
}

# cell NAME STATUS TEXT COMMAND...: one of the table, shown as it was measured.
cell() {
    status_of "${@:4}"
    echo "# $1: $status $(grep -m 1 -oF -- "$3" "$BATS_TEST_TMPDIR/stderr")" >&3
    [ "$status" = "$2" ]
    [ "$2" != 10 ] || grep -qF -- "$3" "$BATS_TEST_TMPDIR/stderr"
    [ "$2" = 10 ] || says "$3"
    cells=$((cells + 1))
}

# nobody_signed_in: neither a login of AxDB nor a request of Dataverse came, and no token was asked for.
nobody_signed_in() {
    refute logged '"kind":"login"'
    refute logged '"kind":"http"'
    refute logged '"kind":"token"'
}

pinned() { verify_axdb --expect-dataverse-host "$own_host" "$@"; }

# listener OPTION...: openssl s_server with the good certificate; its port in $port.
listener() {
    local pki=${SANDBOX_CA%/*} try
    for try in 1 2 3 4 5; do
        port=$((20000 + (BASHPID + RANDOM) % 20000))
        openssl s_server -accept "127.0.0.1:$port" -cert "$pki/good.pem" -key "$pki/good.key" -www "$@" \
            >"$BATS_TEST_TMPDIR/s_server" 2>&1 </dev/null 3>&- &
        server=$!
        for _ in $(seq 60); do
            grep -q ACCEPT "$BATS_TEST_TMPDIR/s_server" && return 0
            kill -0 "$server" 2>/dev/null || break
            sleep 0.05
        done
    done
    return 1
}

@test "AxDB: every certificate but the right one, and every way round encryption" {
    cell "AxDB, good certificate" 2 "certificate checked" pinned
    for case in "expired:expired" "wrong-name:not made out for" "other-ca:unknown authority" "self-signed:self-signed" \
        "by-self-signed:unknown authority"; do
        at "${case%%:*}"
        cell "AxDB, ${case%%:*}" 10 "${case#*:}" pinned
        nobody_signed_in
    done
    at no-tls
    cell "AxDB, no TLS" 10 "offers no TLS" pinned
    nobody_signed_in
    at sandbox
    fault '{"at":"tds.prelogin","times":0,"do":"other","text":"encryption=0"}'
    cell "AxDB, login alone is encrypted" 10 "sign-in only" pinned
    # that is only seen at the first answer: the settings of the session were sent, and no question
    [ "$(control /log | grep -c '"kind":"batch"')" = 1 ]
    control /log | grep '"kind":"batch"' | grep -q 'SET QUOTED_IDENTIFIER ON'
    refute logged DUALWRITE
    at sandbox
    fault '{"at":"tds.prelogin","times":0,"do":"other","text":"encryption=2"}'
    cell "AxDB, prelogin that lies: no TLS" 10 "offers no TLS" pinned
    nobody_signed_in
    at sandbox
    fault '{"at":"tds.tls","times":0,"do":"other","text":"tls1.1-only"}'
    cell "AxDB, TLS 1.1 only" 10 "nothing newer than TLSv1.1" pinned
    nobody_signed_in
    [ "$cells" = 10 ]
}

@test "AxDB: what -N and -C give up is that much and no more" {
    # a trusted certificate is no trusted version
    fault '{"at":"tds.tls","times":0,"do":"other","text":"tls1.1-only"}'
    cell "AxDB, TLS 1.1 only, -C" 10 "nothing newer than TLSv1.1" pinned -C
    nobody_signed_in
    # optional: clear text where there is no TLS, never a wrong certificate or an old version
    cell "AxDB, TLS 1.1 only, -N optional" 10 "nothing newer than TLSv1.1" pinned -N optional
    nobody_signed_in
    at wrong-name
    cell "AxDB, wrong-name, -N optional" 10 "not made out for" pinned -N optional
    nobody_signed_in
}

@test "Dataverse and its token endpoint: every certificate but the right one, old versions, clear text" {
    cell "Dataverse, good certificate" 2 "organization" verify_dataverse
    for case in "expired:expired" "wrong-name:name" "other-ca:authority" "self-signed:authority" \
        "by-self-signed:authority"; do
        at "${case%%:*}"
        cell "Dataverse, ${case%%:*}" 10 "${case#*:}" verify_dataverse
        nobody_signed_in
    done
    # the service is good, and who issues tokens is not
    at sandbox
    url=$SANDBOX_DATAVERSE_URL own_ca=$SANDBOX_CA
    for name in expired wrong-name other-ca; do
        at "$name"
        mapfile -t t < <(dataverse_target)
        cat "$SANDBOX_CA" "$own_ca" >"$BATS_TEST_TMPDIR/ca.pem"
        cell "token endpoint, $name" 10 "certificate" "$DWCLEAN" verify --dataverse-only "${t[@]}" \
            --cacert "$BATS_TEST_TMPDIR/ca.pem" --dataverse-url "$url" --authority "$SANDBOX_AUTHORITY"
        nobody_signed_in
    done
    at sandbox
    listener -tls1_1 -cipher 'DEFAULT@SECLEVEL=0'
    # it does speak 1.1
    openssl s_client -connect "127.0.0.1:$port" -tls1_1 -cipher 'DEFAULT@SECLEVEL=0' </dev/null 2>/dev/null | grep -q 'TLSv1.1'
    cell "Dataverse, TLS 1.1 only" 10 "TLS" verify_dataverse --dataverse-url "https://localhost:$port"
    cell "token endpoint, TLS 1.1 only" 10 "TLS" verify_dataverse --authority "https://localhost:$port"
    refute logged '"kind":"token"'
    cell "Dataverse, http" 64 "not the URL" verify_dataverse --dataverse-url "${SANDBOX_DATAVERSE_URL/https/http}"
    cell "token endpoint, http" 12 "https" verify_dataverse --authority "${SANDBOX_AUTHORITY/https/http}"
    refute logged '"kind":"token"'
    [ "$cells" = 13 ]
}
