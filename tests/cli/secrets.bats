#!/usr/bin/env bats
# What holds a password in memory leaves none on the disk, and none on the terminal.

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
    cd "$BATS_TEST_TMPDIR"
    cat >silent.js <<'SCRIPT'
        const fs = require('fs');
        const server = require('net').createServer(() => fs.writeFileSync('dialled', ''));
        server.listen(0, '127.0.0.1', () => {
            fs.writeFileSync('port.new', String(server.address().port));
            fs.renameSync('port.new', 'port');
        });
SCRIPT
}

teardown() {
    for process in ${started:-}; do
        kill -KILL "$process" 2>/dev/null || true
        { wait "$process" || true; } 2>/dev/null
    done
}

nobody=(--reuid 65534 --regid 65534 --clear-groups)

# needs_nobody: skips where this user cannot become another one that may run dwclean.
needs_nobody() {
    setpriv "${nobody[@]}" test -x "$DWCLEAN" || skip "nobody else can run dwclean here"
}

# wait_for FILE: at most ten seconds.
wait_for() {
    for _ in $(seq 200); do
        [ -f "$1" ] && return 0
        sleep 0.05
    done
    return 1
}

# hang: dwclean waits for a server that accepts and never answers; its process id is in $hanging.
hang() {
    node silent.js 3>&- &
    started=$!
    wait_for port
    (
        ulimit -c unlimited
        exec "$DWCLEAN" verify --axdb-only -S "127.0.0.1,$(cat port)" -d AxDB -U dwclean -l 60
    ) >out 2>err </dev/null 3>&- &
    hanging=$!
    started="$started $hanging"
    wait_for dialled
}

@test "a core dump is not written, neither to a file nor to a program" {
    [ "$(ulimit -H -c)" = unlimited ] || skip "the limit of cores cannot be raised here"
    hang
    # 1, not 0: the kernel gives a program in core_pattern its core at a limit of 0 (core(5)).
    grep -E '^Max core file size +1 +1 ' "/proc/$hanging/limits"
    # and whatever would be written holds no memory
    [ "$((16#$(cat "/proc/$hanging/coredump_filter")))" = 0 ]
    kill -ABRT "$hanging"
    status=0
    wait "$hanging" || status=$?
    [ "$status" = 134 ]
    # a pattern that is a program or an absolute path puts cores elsewhere: the limit has spoken
    [ -z "$(grep -rlaF "$DWCLEAN_PASSWORD" .)" ]
    [ -z "$(find . -name 'core*')" ]
}

@test "with a limit of 0 that cannot become 1, a core would hold no memory" {
    needs_nobody
    node silent.js 3>&- &
    started=$!
    wait_for port
    (
        ulimit -c 0
        exec setpriv "${nobody[@]}" "$DWCLEAN" verify --axdb-only -S "127.0.0.1,$(cat port)" -d AxDB -U dwclean -l 60
    ) >out 2>err </dev/null 3>&- &
    hanging=$!
    started="$started $hanging"
    wait_for dialled
    grep -E '^Max core file size +0 +0 ' "/proc/$hanging/limits"
    [ "$((16#$(cat "/proc/$hanging/coredump_filter")))" = 0 ]
}

@test "somebody who is not root signs in all the same: the configuration in memory can be read" {
    needs_nobody
    install -m 644 "$SANDBOX_CA" "$BATS_TEST_TMPDIR/ca.pem"
    mapfile -t t < <(axdb_target)
    # The files of the test are for their owner: the certificate comes as an open descriptor.
    status_of setpriv "${nobody[@]}" "$DWCLEAN" verify --axdb-only "${t[@]}" --cacert /proc/self/fd/9 \
        9<"$BATS_TEST_TMPDIR/ca.pem" </dev/null
    [ "$status" = 2 ]
    says RESIDUE
}

@test "a command gives the password: its first line, without a shell, and not what others are told" {
    cat >keeper <<'SCRIPT'
#!/bin/sh
env >environment
printf '%s\n' 'Sandbox-Passw0rd!' 'a second line'
SCRIPT
    chmod +x keeper
    unset DWCLEAN_PASSWORD
    DWCLEAN_CLIENT_SECRET=Canary-Secret status_of verify_axdb --password-command ./keeper -v
    [ "$status" = 2 ]
    says RESIDUE
    refute says 'Sandbox-Passw0rd!'
    refute grep -q Canary-Secret environment
    status_of verify_axdb --password-command false
    [ "$status" = 78 ]
    says "the password command false failed with status 1"
    status_of verify_axdb --password-command ./keeper --password-file keeper
    [ "$status" = 64 ]
    says "exclude each other"
}
