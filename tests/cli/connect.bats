#!/usr/bin/env bats
# Whatever can go wrong while connecting to AxDB is named, with the documented status.

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
}

# A second sandbox of this test's own: other SEED [option...]; then SANDBOX_* are its variables.
other() {
    start_sandbox "$BATS_TEST_TMPDIR/other" "$@"
    other_pid=$sandbox_pid
}

teardown() {
    [ -z "${other_pid:-}" ] || kill "$other_pid"
}

pinned() { verify_axdb --expect-dataverse-host contoso-uat.crm4.dynamics.com "$@"; }

@test "a host that does not resolve" {
    status_of pinned -S no-such-host.invalid,1433
    [ "$status" = 10 ]
    says no-such-host.invalid
    says resolve
}

@test "a closed port" {
    status_of pinned -S localhost,1
    [ "$status" = 10 ]
    says refused
}

@test "a wrong password, and a user that is not there" {
    DWCLEAN_PASSWORD=not-the-p4ssword status_of pinned
    [ "$status" = 12 ]
    says 18456
    refute grep -q not-the-p4ssword "$BATS_TEST_TMPDIR/stderr" "$BATS_TEST_TMPDIR/stdout"
    status_of pinned -U nobody-here
    [ "$status" = 12 ]
}

@test "a database that is not there" {
    status_of pinned -d NoSuchDB
    [ "$status" = 12 ]
    says NoSuchDB
}

@test "a server without TLS is refused, and the password is not sent" {
    other small --tds-encryption none
    status_of pinned
    [ "$status" = 10 ]
    says TLS
    refute logged '"kind":"login"'
}

@test "a server that encrypts the login only is refused" {
    fault '{"at":"tds.prelogin","times":0,"do":"other","text":"encryption=0"}'
    status_of pinned
    [ "$status" = 10 ]
    control -X DELETE /log
}

@test "a certificate of another CA" {
    other small --certificate other-ca
    status_of pinned
    [ "$status" = 10 ]
    says certificate
    says "unknown authority"
}

@test "a certificate for another name" {
    other small --certificate wrong-name
    status_of pinned
    [ "$status" = 10 ]
    says name
}

@test "an expired certificate" {
    other small --certificate expired
    status_of pinned
    [ "$status" = 10 ]
    says expired
}

@test "-C trusts any certificate, and says so" {
    other small --certificate wrong-name
    status_of pinned -C
    [ "$status" = 2 ]
    says certificate
}

@test "variables that would redirect or weaken the connection have no effect" {
    printf '[global]\nencryption = off\ntds version = 5.0\n' >"$BATS_TEST_TMPDIR/freetds.conf"
    printf '[localhost]\nhost = 127.0.0.9\nport = 1\n' >"$BATS_TEST_TMPDIR/.freetds.conf"
    mkdir "$BATS_TEST_TMPDIR/etc"
    cp "$BATS_TEST_TMPDIR/.freetds.conf" "$BATS_TEST_TMPDIR/etc/freetds.conf"
    before=$(find "$BATS_TEST_TMPDIR" | sort)
    TDSVER=5.0 TDSHOST=127.0.0.9 TDSPORT=1 TDSDUMP=$BATS_TEST_TMPDIR/dump TDSDUMPCONFIG=$BATS_TEST_TMPDIR/dumpconfig \
        TDSQUERY=elsewhere DSQUERY=elsewhere FREETDSCONF=$BATS_TEST_TMPDIR/freetds.conf FREETDS=$BATS_TEST_TMPDIR \
        SYBASE=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR SSLKEYLOGFILE=$BATS_TEST_TMPDIR/keys status_of pinned
    [ "$status" = 2 ]
    [ "$(find "$BATS_TEST_TMPDIR" -not -name stdout -not -name stderr | sort)" = "$before" ]
}

@test "a server that freezes is given up within the login timeout" {
    fault '{"at":"tds.prelogin","times":0,"do":"freeze"}'
    began=$SECONDS
    status_of pinned -l 2
    [ "$status" = 10 ]
    [ $((SECONDS - began)) -lt 15 ]
}

@test "a firewall error carries its hint" {
    fault '{"at":"tds.login","times":0,"do":"error","arg":40615,"text":"Cannot open server sandbox requested by the login. Client with IP address 203.0.113.7 is not allowed to access the server."}'
    status_of pinned
    [ "$status" -ge 10 ]
    [ "$status" -le 12 ]
    says 40615
    says 203.0.113.7
}

@test "a login without rights knows nothing, and that is not clean" {
    status_of pinned -U nothing
    [ "$status" = 12 ] || [ "$status" = 14 ]
}

@test "a read-only login may verify, and clean says which right is missing" {
    status_of pinned -U reader
    [ "$status" = 2 ]
    status_of clean --dry-run -U reader
    [ "$status" = 12 ]
    says DELETE
    says GRANT
}

@test "a right that is missing on one table is named with the table" {
    status_of clean --dry-run -U nodelete
    [ "$status" = 12 ]
    says DELETE
    grep -qE 'DUALWRITE|BUSINESSEVENTS' "$BATS_TEST_TMPDIR/stderr" "$BATS_TEST_TMPDIR/stdout"
}

@test "a login that may not see metadata: what could not be checked is said" {
    status_of verify -U blind
    [ "$status" = 2 ]
    says "not checked"
}

@test "a missing table is never clean" {
    sql 'DELETE FROM dbo.DUALWRITEPROJECTCONFIGURATION; DELETE FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION; DROP TABLE dbo.BUSINESSEVENTSDEFINITION'
    status_of pinned
    [ "$status" = 14 ]
    says BUSINESSEVENTSDEFINITION
    grep -q 'error: .*BUSINESSEVENTSDEFINITION is missing' "$BATS_TEST_TMPDIR/stderr"
    grep -q 'hint: ' "$BATS_TEST_TMPDIR/stderr"
    status_of clean --dry-run
    [ "$status" = 14 ]
}

@test "a stop signal while connecting ends at once, with its status" {
    mapfile -t t < <(axdb_target)
    for case in HUP:129 INT:130 TERM:143; do
        fresh
        fault '{"at":"tds.prelogin","times":0,"do":"freeze"}'
        # a shell starts background commands with SIGINT ignored: env gives the default back
        env --default-signal=INT,HUP,TERM "$DWCLEAN" verify --axdb-only "${t[@]}" -l 20 </dev/null 3>&- &
        pid=$!
        for _ in $(seq 50); do
            control /log | grep -q '"kind":"connect"' && break
            sleep 0.1
        done
        began=$SECONDS
        kill -"${case%:*}" "$pid"
        status=0
        wait "$pid" || status=$?
        [ "$status" = "${case#*:}" ]
        [ $((SECONDS - began)) -lt 3 ]
    done
}

@test "a named instance is found through SQL Server Browser; a port makes that needless" {
    address=127.80.$((BASHPID / 250 % 250 + 1)).$((BASHPID % 250 + 1))
    other small --browser "$address"
    status_of pinned -S "$address\\axdb"
    [ "$status" = 2 ]
    logged '"kind":"browser"'
    control -X DELETE /log
    status_of pinned -S "tcp:$address\\AXDB,$SANDBOX_TDS_PORT"
    [ "$status" = 2 ]
    refute logged '"kind":"browser"'
    fault '{"at":"tds.browser","times":0,"do":"freeze"}'
    status_of pinned -S "$address\\AXDB" -l 1
    [ "$status" = 10 ]
    says "--lcs"
    says ",PORT"
}

@test "-J accepts the server's own certificate and no other, also not of the same authority" {
    other small --certificate second
    mapfile -t t < <(axdb_target)
    pki=${SANDBOX_CA%/*}
    status_of "$DWCLEAN" verify --axdb-only "${t[@]:0:6}" --expect-dataverse-host contoso-uat.crm4.dynamics.com \
        -J "$pki/second.pem" </dev/null
    [ "$status" = 2 ]
    status_of pinned -J "$pki/good.pem"
    [ "$status" = 10 ]
    says "another certificate"
    status_of pinned -J "$pki/ca.pem"
    [ "$status" = 64 ]
    says "--cacert"
}

@test "-F and -N strict are refused where the loaded FreeTDS cannot" {
    for options in "-F other.contoso.com" "-N strict"; do
        status_of pinned $options
        case $stderr in
        *"needs FreeTDS 1.4"*) [ "$status" = 64 ] ;;
        *) [ "$status" = 10 ] ;; # it can: the sandbox has another name, and no TDS 8
        esac
    done
}

@test "a login that was just granted is waited for with --new-login only" {
    fault '{"at":"tds.login","do":"error","arg":18456}'
    status_of pinned
    [ "$status" = 12 ]
    says "--new-login"
    fault '{"at":"tds.login","do":"error","arg":18456}'
    began=$SECONDS
    status_of pinned --new-login
    [ "$status" = 2 ]
    says "trying again in 5.0 s"
    [ $((SECONDS - began)) -ge 4 ]
}
