#!/usr/bin/env bats
# Files and directories that others could read or change are refused, before anything is connected or changed.

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
    umask 077
    unset DWCLEAN_PASSWORD DWCLEAN_CLIENT_SECRET
    cells=0
}

# refused TEXT COMMAND...: 78, that text stands there, and nobody was dialled.
refused() {
    status_of "${@:2}"
    [ "$status" = 78 ]
    grep -qF -- "$1" "$BATS_TEST_TMPDIR/stderr"
    refute logged '"kind"'
    cells=$((cells + 1))
}

# secret_files: each option that names a file with a secret, its good contents, and the command that reads it.
secret_files() {
    echo 'Sandbox-Passw0rd!' >password
    echo "$SANDBOX_CLIENT_SECRET" >secret
    control -X POST --data '{}' /dataverse/tokens | json token >token
    openssl rand -base64 32 >key
    echo "Server=localhost,$SANDBOX_TDS_PORT;Database=AxDB;User ID=dwclean;Password=Sandbox-Passw0rd!" >string
    cat "$SANDBOX_CLIENT_KEY" "$SANDBOX_CLIENT_CERTIFICATE" >certificate
}
with_password() { verify_axdb --password-file "$@"; }
with_secret() { verify_dataverse --client-secret-file "$@"; }
with_token() { verify_dataverse --token-file "$@"; }
with_key() { DWCLEAN_PASSWORD='Sandbox-Passw0rd!' axdb_write clean --axdb-only --yes --plan-id "$(printf '%064d' 0)" --backup-key-file "$@"; }
with_string() { "$DWCLEAN" verify --axdb-only --cacert "$SANDBOX_CA" --connection-string-file "$@" </dev/null; }
with_certificate() { verify_dataverse --client-certificate "$@"; }

@test "a secret file that others may use, that is no file, or that another user owns" {
    secret_files
    control -X DELETE /log
    for name in password secret token key string certificate; do
        for mode in 0640 0604 0620 0601; do
            chmod "$mode" "$name"
            refused "$name (mode ${mode#0})" "with_$name" "$name"
            says "chmod 600 $name"
        done
        chmod 0600 "$name"
        mkdir "$name.d"
        refused "not a regular file" "with_$name" "$name.d"
        mkfifo "$name.fifo"
        refused "not a regular file" "with_$name" "$name.fifo"
        refused "No such file" "with_$name" "$name.missing"
        if [ "$(id -u)" = 0 ]; then
            chown 65534 "$name"
            refused "another user" "with_$name" "$name"
            chown 0 "$name"
        fi
        # and with its right mode it is used
        status_of "with_$name" "$name"
        case $name in key) [ "$status" = 4 ] && says "maps" ;; *) [ "$status" = 2 ] ;; esac
        control -X DELETE /log
    done
    echo "# $cells refusals" >&3
    [ "$cells" -ge 42 ]
}

@test "a configuration that others may write" {
    printf '[env "uat"]\nclass = sandbox\nserver = localhost,%s\ndatabase = AxDB\nuser = dwclean\ncacert = %s\npassword_file = %s\n' \
        "$SANDBOX_TDS_PORT" "$SANDBOX_CA" "$PWD/password" >config.ini
    echo 'Sandbox-Passw0rd!' >password
    look() { "$DWCLEAN" verify --axdb-only --config config.ini --env uat </dev/null; }
    for mode in 0620 0602 0660 0666 0646; do
        chmod "$mode" config.ini
        refused "others may write config.ini (mode ${mode#0})" look
        refused "others may write config.ini" "$DWCLEAN" env list --config config.ini
        refused "others may write config.ini" "$DWCLEAN" verify --all --config config.ini
    done
    if [ "$(id -u)" = 0 ]; then
        chmod 0600 config.ini
        chown 65534 config.ini
        refused "another user" look
        chown 0 config.ini
    fi
    # a secret that it names is looked at all the same
    chmod 0644 config.ini password
    refused "others may use the secret file" look
    chmod 0600 password
    status_of look
    [ "$status" = 2 ]
}

# unchanged COMMAND...: refused with 13, and the target and its rows stay.
unchanged() {
    local before
    before=$(rows_left)
    status_of "${@:2}"
    [ "$status" = 13 ]
    cat "$BATS_TEST_TMPDIR"/{stdout,stderr} | tr -s ' \n' ' ' | grep -qF -- "$1"
    [ "$(rows_left)" = "$before" ]
    cells=$((cells + 1))
}

@test "a runs directory of another user's, or that everybody may write in; one that a link leads to counts by where it leads" {
    export DWCLEAN_PASSWORD='Sandbox-Passw0rd!'
    id=$(axdb_write clean --axdb-only --dry-run --format json | json plan_id)
    try() { axdb_write clean --axdb-only --maps-are-stopped --reason test --yes --plan-id "$id"; }
    mkdir -m 0777 "$runs"
    unchanged "everybody may write" try
    chmod 0700 "$runs"
    if [ "$(id -u)" = 0 ]; then
        chown 65534 "$runs"
        unchanged "belongs to another user (uid 65534)" try
        status_of axdb_write check --axdb-only
        says "belongs to another user"
        chown 0 "$runs"
        mkdir -m 0700 "$runs/locks"
        chown 65534 "$runs/locks"
        unchanged "another user" try
        chown 0 "$runs/locks"
        rmdir "$runs/locks"
        mkdir away
        chown 65534 away
        real=$runs
        ln -s "$PWD/away" link
        runs=$PWD/link
        unchanged "another user" try
        runs=$real
    fi
    # the lock of the target, and the folder of locks, as links to what a run would empty
    mkdir elsewhere
    ln -s "$PWD/elsewhere" "$runs/locks"
    unchanged "locks" try
    rm "$runs/locks"
    status_of try
    [ "$status" = 0 ]
    [ -z "$(ls elsewhere)" ]
    [ "$(stat -c %a "$(newest_run)")" = 700 ]
    [ -z "$(find "$runs"/2* "$runs/locks" -type f -not -perm 0600)" ]
    [ -z "$(find "$runs"/2* "$runs/locks" -type d -not -perm 0700)" ]
}

@test "a run of the past that is a link, another user's, or that others may write: neither resumed nor undone" {
    export DWCLEAN_PASSWORD='Sandbox-Passw0rd!'
    status_of confirmed axdb_write clean --axdb-only
    [ "$status" = 0 ]
    run=$(newest_run)
    name=$(basename "$run")
    undo() { axdb_write undo "$name" --axdb-only --dry-run; }
    status_of undo
    [ "$status" = 0 ]
    # a link with the name of a run is none, wherever it leads
    mv "$run" "$PWD/moved"
    ln -s "$PWD/moved" "$run"
    status_of undo
    [ "$status" = 64 ]
    says "no run $name"
    rm "$run"
    mv "$PWD/moved" "$run"
    for part in "$run" "$run/backup"; do
        for mode in 0770 0707; do
            chmod "$mode" "$part"
            unchanged "writable for others" undo
        done
        chmod 0700 "$part"
        [ "$(id -u)" = 0 ] || continue
        chown 65534 "$part"
        unchanged "another user" undo
        chown 0 "$part"
    done
    # what lies in it may be no link either: what is believed would be elsewhere
    for part in run.json journal.ndjson backup/SEALED.json backup/manifest.json backup; do
        mv "$run/$part" "$PWD/aside"
        ln -s "$PWD/aside" "$run/$part"
        status_of undo
        echo "# $part as a link: $status" >&3
        [ "$status" = 13 ]
        rm "$run/$part"
        mv "$PWD/aside" "$run/$part"
        cells=$((cells + 1))
    done
    status_of undo
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 2" ]
}

@test "what holds rows or keys is made anew, never written through a link" {
    export DWCLEAN_PASSWORD='Sandbox-Passw0rd!'
    status_of confirmed axdb_write clean --axdb-only
    [ "$status" = 0 ]
    control -X POST /reset
    mapfile -t t < <(axdb_target)
    echo precious >target
    ln -s "$PWD/target" link
    ln -s "$PWD/missing" dangling
    for place in link dangling; do
        status_of "$DWCLEAN" plan --axdb-only --class sandbox --expect-dataverse-host "$own_host" "${t[@]}" --out "$place" </dev/null
        echo "# plan --out: $status" >&3
        [ "$status" != 0 ]
        for form in --sql --redact; do
            status_of "$DWCLEAN" export last "$form" --out "$place" --runs-dir "$runs"
            echo "# export $form --out: $status" >&3
            [ "$status" != 0 ]
        done
    done
    [ "$(cat target)" = precious ]
    [ ! -e missing ]
    status_of "$DWCLEAN" export last --sql --out undo.sql --runs-dir "$runs"
    [ "$status" = 0 ]
    [ "$(umask 022 && stat -c %a undo.sql)" = 600 ]
}
