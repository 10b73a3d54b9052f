#!/usr/bin/env bats
# Clients that this project did not write sign in to the sandbox and work with it; what comes back is
# compared byte for byte. So the sandbox is a server, not a recording of dwclean's own statements.

setup_file() {
    . "$SOURCE_DIR/tests/support/sandbox.sh"
    unset TDSVER TDSPORT TDSHOST TDSDUMP TDSDUMPCONFIG TDSQUERY DSQUERY FREETDS SYBASE
    start_sandbox "$BATS_FILE_TMPDIR/sandbox" small
    export SANDBOX_ENV=$BATS_FILE_TMPDIR/sandbox/env
    export FREETDSCONF=$BATS_FILE_TMPDIR/freetds.conf
    cat >"$FREETDSCONF" <<CONF
[global]
    tds version = 7.4
    client charset = UTF-8
    text size = 2147483647
[plain]
    host = 127.0.0.1
    port = $SANDBOX_TDS_PORT
    encryption = off
[six]
    host = ::1
    port = $SANDBOX_TDS_PORT
    encryption = off
[tls]
    host = localhost
    port = $SANDBOX_TDS_PORT
    encryption = require
    ca file = $SANDBOX_CA
    check certificate hostname = yes
[login-only]
    host = localhost
    port = $SANDBOX_TDS_PORT
    encryption = request
CONF
    # Installed from the lock file, hashes checked, no script run; nothing is left in the checkout.
    export CLIENT_DIR=$BATS_FILE_TMPDIR/client
    mkdir "$CLIENT_DIR"
    cp "$BATS_TEST_DIRNAME"/{package.json,package-lock.json,.npmrc,tedious.js} "$CLIENT_DIR"
    if [ -n "${TEDIOUS_MODULES:-}" ]; then
        ln -s "$TEDIOUS_MODULES" "$CLIENT_DIR/node_modules"
    else
        (cd "$CLIENT_DIR" && npm ci --ignore-scripts >npm.log 2>&1) || : >"$CLIENT_DIR/failed"
    fi
}

teardown_file() {
    [ -n "${SANDBOX_ENV:-}" ] || return 0 # it did not start, and has said why
    . "$SANDBOX_ENV"
    kill "$SANDBOX_PID"
    for _ in $(seq 100); do
        kill -0 "$SANDBOX_PID" 2>/dev/null || return 0
        sleep 0.05
    done
    echo "the sandbox does not end" >&2
    return 1
}

setup() {
    . "$SANDBOX_ENV"
    cd "$BATS_TEST_TMPDIR"
    login=(-U admin -P 'Sandbox-Passw0rd!')
    ask plain "IF OBJECT_ID(N'dbo.T', N'U') IS NOT NULL DROP TABLE dbo.T" >/dev/null
    ask plain "CREATE TABLE dbo.T (ID int NOT NULL, NAME nvarchar(40) NULL, CODE varchar(10) NULL,
        AMOUNT decimal(18,4) NULL, FLAG bit NULL, DATA varbinary(16) NULL)" >/dev/null
}

# ask SERVER SQL: by tsql; values with | between them, no headers.
ask() {
    printf '%s\ngo\n' "$2" | tsql -S "$1" "${login[@]}" -o qfh -t '|'
}

# bsql SERVER SQL: by bsqldb, that is DB-Library.
bsql() {
    printf '%s\n' "$2" >in.sql
    bsqldb -S "$1" "${login[@]}" -D AxDB -q -t '|' -i in.sql
}

# same EXPECTED-FILE FILE
same() {
    cmp "$1" "$2" || { diff <(xxd "$1") <(xxd "$2"); return 1; }
}

fill() {
    ask plain "INSERT INTO dbo.T (ID, NAME, CODE, AMOUNT, FLAG, DATA) VALUES
        (1, N'žluťoučký 😀', 'ab', 1234.5678, 1, 0x0001FF),
        (2, N'', '', -0.0001, 0, 0x),
        (3, NULL, NULL, NULL, NULL, NULL),
        (2147483647, N'a''b', 'x y', 99999999999999.9999, 1, 0x00)" >/dev/null
}

@test "tsql: rows come back as they went in, plain, TLS, TLS for the login only, IPv6" {
    fill
    printf '%s\n' '1|žluťoučký 😀|ab|1234.5678|1|0001ff' '2|||-0.0001|0|' \
        '3|NULL|NULL|NULL|NULL|NULL' "2147483647|a'b|x y|99999999999999.9999|1|00" >expected
    servers='plain tls login-only'
    # A container may have no IPv6 at all; the server then listens without it.
    ! grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 || servers+=' six'
    for server in $servers; do
        ask "$server" 'SELECT ID, NAME, CODE, AMOUNT, FLAG, DATA FROM dbo.T ORDER BY ID' >got
        same expected got
    done
}

@test "tsql: errors, messages and counts of statements" {
    printf '%s\ngo\n' "PRINT N'hello'" "SELECT * FROM dbo.nothing_here" "SELEC 1" "SELECT 7 AS seven" |
        tsql -S tls "${login[@]}" -o fh >got 2>messages
    grep -qx '[[:space:]]*hello' messages
    grep -q '^Msg 208 (severity 16, state [0-9]*) from SANDBOX-SQL' messages
    grep -q "Invalid object name 'dbo.nothing_here'" messages
    grep -Eq '^Msg (102|156) \(severity 15' messages
    grep -qx '\(.> \)*7' got
    grep -q '(1 row affected)' got
}

@test "tsql: a wrong password and a wrong certificate are refused" {
    run tsql -S plain -U admin -P wrong </dev/null
    [ "$status" != 0 ]
    [[ $output == *'Msg 18456 (severity 14'* ]]
    sed "s/host = localhost/host = 127.0.0.1/; s/^\[tls\]/[mismatch]/; s|^ *ca file.*|    ca file = /dev/null|" \
        "$FREETDSCONF" >other.conf
    FREETDSCONF=$PWD/other.conf run tsql -S mismatch "${login[@]}" </dev/null
    [ "$status" != 0 ]
}

@test "bsqldb: two result sets, values and a failed statement" {
    fill
    printf '%s\n' '1|ab|1234.5678' '2||-0.0001' >expected
    for server in plain tls; do
        bsql "$server" 'SELECT ID, CODE, AMOUNT FROM dbo.T WHERE ID < 3 ORDER BY ID' >got
        same expected <(sed 's/ *|/|/g; s/ *$//' got)
    done
    bsql tls 'SELECT 1 AS a SELECT 2 AS b' >got
    printf '1\n2\n' >expected
    same expected <(tr -d ' ' <got)
    run bsql plain 'SELECT * FROM dbo.nothing_here'
    [[ $output == *208* ]]
}

@test "bsqldb: a transaction that is rolled back, and one that is committed" {
    bsql tls "BEGIN TRANSACTION; INSERT INTO dbo.T (ID) VALUES (1); ROLLBACK"
    [ "$(ask plain 'SELECT COUNT(*) FROM dbo.T')" = 0 ]
    bsql tls "BEGIN TRANSACTION; INSERT INTO dbo.T (ID) VALUES (1); COMMIT"
    [ "$(ask plain 'SELECT COUNT(*) FROM dbo.T')" = 1 ]
    bsql tls "BEGIN TRANSACTION; DELETE FROM dbo.T"
    [ "$(ask plain 'SELECT COUNT(*) FROM dbo.T')" = 1 ] # its connection is closed: rolled back
}

@test "freebcp -c: out, in, and out again" {
    ask plain "INSERT INTO dbo.T (ID, NAME, CODE, AMOUNT, FLAG, DATA) VALUES
        (1, N'abc', 'ab', 1234.5678, 1, 0x0001FF), (2, NULL, NULL, NULL, NULL, NULL)" >/dev/null
    for server in plain tls; do
        freebcp AxDB.dbo.T out out.txt -S "$server" "${login[@]}" -c >log 2>&1
        grep -q '2 rows copied' log
        printf '1\tabc\tab\t1234.5678\t1\t0001ff\n2\t\t\t\t\t\n' >expected
        same expected out.txt
        ask plain 'DELETE FROM dbo.T' >/dev/null
        freebcp AxDB.dbo.T in out.txt -S "$server" "${login[@]}" -c >log 2>&1
        grep -q '2 rows copied' log
        freebcp AxDB.dbo.T out again.txt -S "$server" "${login[@]}" -c >log 2>&1
        same expected again.txt
    done
    printf '%s\n' '1|abc|ab|1234.5678|1|0001ff' '2|NULL|NULL|NULL|NULL|NULL' >expected
    ask plain 'SELECT * FROM dbo.T ORDER BY ID' >got
    same expected got
}

@test "freebcp -n: what it can carry comes back as it went" {
    # Its native files hold neither nvarchar nor NULL faithfully: numbers and bytes only.
    ask plain "CREATE TABLE dbo.N (A int NOT NULL, B bigint NULL, C varbinary(8) NULL, D bit NULL)" >/dev/null
    ask plain "INSERT INTO dbo.N (A, B, C, D) VALUES (1, -2, 0x0102, 1), (-1, 9223372036854775807, 0xFF, 0)" >/dev/null
    freebcp AxDB.dbo.N out out.bcp -S tls "${login[@]}" -n >log 2>&1
    grep -q '2 rows copied' log
    ask plain 'DELETE FROM dbo.N' >/dev/null
    freebcp AxDB.dbo.N in out.bcp -S tls "${login[@]}" -n >log 2>&1
    grep -q '2 rows copied' log
    printf '%s\n' '-1|9223372036854775807|ff|0' '1|-2|0102|1' >expected
    ask plain 'SELECT A, B, C, D FROM dbo.N ORDER BY A' >got
    ask plain 'DROP TABLE dbo.N' >/dev/null
    same expected got
}

@test "tedious: queries, parameters, prepared statements, transactions, bulk load, cancel" {
    if [ -e "$CLIENT_DIR/failed" ]; then
        [ -z "${CI:-}" ] || { cat "$CLIENT_DIR/npm.log"; return 1; }
        skip 'npm ci failed: tedious is not here'
    fi
    for mode in plain tls; do
        ask plain "IF OBJECT_ID(N'dbo.T', N'U') IS NOT NULL DELETE FROM dbo.T" >/dev/null
        NODE_EXTRA_CA_CERTS=$SANDBOX_CA node "$CLIENT_DIR/tedious.js" "$SANDBOX_TDS_PORT" "$mode" >got
        same "$BATS_TEST_DIRNAME/tedious.expected" got
    done
}
