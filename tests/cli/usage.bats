#!/usr/bin/env bats
# Wrong use: a clear message, the documented status, nothing done.

setup() {
    load support
}

@test "without arguments there is help, and nothing else happens" {
    status_of "$DWCLEAN"
    [ "$status" = 0 ]
    for command in check verify clean repair-map resume undo export explain env; do says "$command"; done
}

@test "help of every command fits one screen and exits 0" {
    for command in check verify plan show apply clean repair-map resume undo export runs prune explain env completion; do
        status_of "$DWCLEAN" "$command" --help
        [ "$status" = 0 ]
        says "usage: dwclean $command"
        [ "$(wc -l <"$BATS_TEST_TMPDIR/stdout")" -le 55 ]
        [ "$(wc -L <"$BATS_TEST_TMPDIR/stdout")" -le 80 ]
    done
}

@test "the topics of help fit one screen too" {
    for topic in output sign-in connection; do
        status_of "$DWCLEAN" help "$topic"
        [ "$status" = 0 ]
        [ "$(wc -l <"$BATS_TEST_TMPDIR/stdout")" -le 55 ]
        [ "$(wc -L <"$BATS_TEST_TMPDIR/stdout")" -le 80 ]
    done
    says --trust-server-certificate
}

@test "version names every library" {
    status_of "$DWCLEAN" version
    [ "$status" = 0 ]
    for library in dwclean FreeTDS libcurl cJSON zstd OpenSSL libsodium; do says "$library"; done
    # of these the build's own version is the one that is loaded here
    says "libcurl $(pkg-config --modversion libcurl) (OpenSSL/"
    says "cJSON $(pkg-config --modversion libcjson)"
    says "zstd $(pkg-config --modversion libzstd)"
    says "OpenSSL $(pkg-config --modversion openssl)"
    says "libsodium $(pkg-config --modversion libsodium)"
    says "libarchive $(pkg-config --modversion libarchive) (of the build)"
    says "libsmartcols $(pkg-config --modversion smartcols)"
    says "libinih $(pkg-config --modversion inih) (of the build)"
    status_of "$DWCLEAN" --version
    [ "$status" = 0 ]
    says "libcurl "
}

@test "version in JSON has the same libraries" {
    status_of "$DWCLEAN" version
    lines=$output
    status_of "$DWCLEAN" version --format json
    [ "$status" = 0 ]
    [ "$lines" = "$(node -e '
        const o = JSON.parse(require("fs").readFileSync(0));
        console.log([o.program, ...o.libraries.map((l) => `${l.name} ${l.version}`)].join("\n"));' <<<"$output")" ]
}

@test "an unknown option names the nearest one" {
    status_of "$DWCLEAN" verify --axdb-olny -S s -d d
    [ "$status" = 64 ]
    says --axdb-only
    [ -z "$output" ]
}

@test "an unknown command is an error" {
    status_of "$DWCLEAN" clena
    [ "$status" = 64 ]
    says clean
}

@test "a password on the command line is refused with a hint" {
    status_of "$DWCLEAN" verify -S s -d d -U u -P secret --axdb-only
    [ "$status" = 64 ]
    says DWCLEAN_PASSWORD
    refute grep -q secret "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
}

@test "Entra sign-in of sqlcmd is refused with the reason" {
    status_of "$DWCLEAN" verify -S s -d d -G --axdb-only
    [ "$status" = 64 ]
    says FreeTDS
}

@test "a missing server, database or URL is named" {
    status_of "$DWCLEAN" verify --axdb-only -d AxDB -U u
    [ "$status" = 64 ]
    says -S
    status_of "$DWCLEAN" verify --axdb-only -S s -U u
    [ "$status" = 64 ]
    says -d
    status_of "$DWCLEAN" verify --dataverse-only
    [ "$status" = 64 ]
    says --dataverse-url
    status_of "$DWCLEAN" verify
    [ "$status" = 64 ]
}

@test "one half is never taken for both" {
    status_of "$DWCLEAN" verify -S s -d d -U u
    [ "$status" = 64 ]
    says --axdb-only
}

@test "the target of a command that writes comes from the command line or --env only" {
    DWCLEAN_SERVER=s DWCLEAN_DATABASE=d status_of "$DWCLEAN" clean --axdb-only -U u
    [ "$status" = 64 ]
}

@test "a bad number, a bad format and a bad class are usage errors" {
    for wrong in "-l x" "--lock-timeout 5parsecs" "--format xml" "--class prod" "--color sometimes"; do
        # shellcheck disable=SC2086
        status_of "$DWCLEAN" clean --axdb-only -S s -d d -U u $wrong
        [ "$status" = 64 ]
    done
}

@test "a secret file that others may read is refused" {
    echo secret >"$BATS_TEST_TMPDIR/password"
    chmod 644 "$BATS_TEST_TMPDIR/password"
    status_of env -u DWCLEAN_PASSWORD "$DWCLEAN" verify --axdb-only -S localhost -d d -U u \
        --password-file "$BATS_TEST_TMPDIR/password"
    [ "$status" = 78 ]
    says password
}

@test "a fault in the ini file is named with file and line" {
    printf '[env "uat"]\nclass = sandbox\nserver = s\nsevrer = t\n' >"$BATS_TEST_TMPDIR/config.ini"
    status_of "$DWCLEAN" verify --config "$BATS_TEST_TMPDIR/config.ini" --env uat
    [ "$status" = 78 ]
    says config.ini:4
    printf '[env "uat"]\nserver = s\n' >"$BATS_TEST_TMPDIR/config.ini"
    status_of "$DWCLEAN" verify --config "$BATS_TEST_TMPDIR/config.ini" --env uat
    [ "$status" = 78 ]
    says class
}

@test "with --env another target is refused" {
    printf '[env "uat"]\nclass = sandbox\nserver = s\ndatabase = d\nuser = u\n' >"$BATS_TEST_TMPDIR/config.ini"
    status_of "$DWCLEAN" clean --config "$BATS_TEST_TMPDIR/config.ini" --env uat --axdb-only -S other
    [ "$status" = 4 ]
    says other
}

@test "a usage error in JSON form is still one JSON object" {
    status_of "$DWCLEAN" verify --format json --axdb-only -S s
    [ "$status" = 64 ]
    [ "$(json exit_status <"$BATS_TEST_TMPDIR/stdout")" = 64 ]
}

@test "a closed or full stdout is no crash" {
    status=0
    "$DWCLEAN" help >&- 2>/dev/null || status=$?
    [ "$status" -lt 128 ]
    status=0
    "$DWCLEAN" help >/dev/full 2>/dev/null || status=$?
    [ "$status" -lt 128 ]
}

@test "an option of another command says whose it is" {
    status_of "$DWCLEAN" verify -S s -d d -U u --axdb-only --dry-run
    [ "$status" = 64 ]
    says "--dry-run is an option of apply, clean, repair-map, undo, prune."
}

@test "a plan-id that is none is found out before anything is connected" {
    status_of "$DWCLEAN" clean --axdb-only -S localhost,1 -d d -U u --plan-id 0123abc
    [ "$status" = 64 ]
    says "64 hexadecimal digits"
}

@test "commands about a run need one, and one map needs both of its names" {
    for command in undo resume; do
        status_of "$DWCLEAN" "$command" -S s -d d -U u
        [ "$status" = 64 ]
        says "no RUN is named"
        status_of "$DWCLEAN" "$command" '' -S s -d d -U u
        [ "$status" = 64 ]
        says "RUN is empty"
    done
    status_of "$DWCLEAN" repair-map -S s -d d -U u --map accounts
    [ "$status" = 64 ]
    says INTERNAL:EXTERNAL
}

@test "what contradicts itself is refused" {
    printf x >"$BATS_TEST_TMPDIR/cert.pem"
    for wrong in "-C -J $BATS_TEST_TMPDIR/cert.pem" "--channel a --channels all" "--channel all"; do
        # shellcheck disable=SC2086
        status_of "$DWCLEAN" verify --axdb-only -S s -d d -U u $wrong
        [ "$status" = 64 ]
    done
    status_of "$DWCLEAN" verify --axdb-only --lcs -S 'srv\db' -d other -U u
    [ "$status" = 64 ]
    says "two databases"
}

@test "a date in the configuration is checked when it is read" {
    printf '[env "uat"]\nclass = sandbox\nexpect_restored_after = yesterday\n' >"$BATS_TEST_TMPDIR/config.ini"
    status_of "$DWCLEAN" verify --config "$BATS_TEST_TMPDIR/config.ini" --env uat
    [ "$status" = 78 ]
    says config.ini:3
}
