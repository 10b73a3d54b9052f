#!/usr/bin/env bats
# Backups encrypted at rest: nothing of a row can be read without the key, and everything with it.

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
    key=$BATS_TEST_TMPDIR/backup.key
    (umask 077 && openssl rand -hex 32 >"$key")
    other=$BATS_TEST_TMPDIR/other.key
    (umask 077 && openssl rand -base64 32 >"$other")
    all=$(rows_left)
}

# Nothing in the run directory holds the key, and no file of rows can be unpacked.
locked() {
    find "$runs" -type f | while read -r file; do
        refute grep -qF "$(cat "$key")" "$file"
        case $file in
        */backup*/*.ndjson*) refute zstd -dcq "$file" 2>/dev/null ;;
        esac
    done
}

@test "an encrypted backup is of no use without its key, and comes back with it" {
    status_of confirmed both_write clean --channels all --backup-key-file "$key"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    run=$(basename "$(ls -d "$runs"/2*)")
    ls "$runs/$run/backup"/project.ndjson.zst.enc "$runs/$run/backup"/runtime.ndjson.zst.enc
    locked

    status_of both_write undo "$run" --dry-run
    [ "$status" = 13 ]
    says "encrypted with key"
    says --backup-key-file
    status_of both_write undo "$run" --dry-run --backup-key-file "$other"
    [ "$status" = 13 ]
    says "not with key"
    [ "$(rows_left)" = "0 0 0 0" ]

    status_of "$DWCLEAN" export "$run" --sql --out - --runs-dir "$runs"
    [ "$status" = 13 ]
    [ -z "$output" ]
    status_of "$DWCLEAN" export "$run" --sql --out - --runs-dir "$runs" --backup-key-file "$key"
    [ "$status" = 0 ]
    says INSERT

    # the sums are proven without the key, the rows with it
    status_of "$DWCLEAN" show "$run" --verify --runs-dir "$runs"
    [ "$status" = 0 ]
    says "encrypted with key"
    refute says "the digest of every row holds"
    status_of env DWCLEAN_BACKUP_KEY="$(cat "$key")" "$DWCLEAN" show "$run" --verify --runs-dir "$runs"
    [ "$status" = 0 ]
    says "the digest of every row holds"

    status_of confirmed both_write undo "$run" --backup-key-command "cat $key"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "$all" ]
}

@test "a changed byte of an encrypted backup is found" {
    status_of confirmed axdb_write clean --axdb-only --channels all --backup-key-file "$key"
    [ "$status" = 0 ]
    file=$(ls "$runs"/2*/backup/events.ndjson.zst.enc)
    printf 'X' | dd of="$file" bs=1 seek=100 conv=notrunc 2>/dev/null
    status_of "$DWCLEAN" show last --verify --runs-dir "$runs"
    [ "$status" = 13 ]
    status_of axdb_write undo last --dry-run --backup-key-file "$key"
    [ "$status" = 13 ]
    says damaged
}

@test "a key that is none, lies open, or lies beside the backups is refused before anything is done" {
    printf 'hunter2\n' >"$BATS_TEST_TMPDIR/bad.key"
    chmod 600 "$BATS_TEST_TMPDIR/bad.key"
    status_of axdb_write clean --axdb-only --backup-key-file "$BATS_TEST_TMPDIR/bad.key"
    [ "$status" = 78 ]
    refute says hunter2
    chmod 644 "$key"
    status_of axdb_write clean --axdb-only --backup-key-file "$key"
    [ "$status" = 78 ]
    chmod 600 "$key"
    mkdir -p "$runs/keys"
    cp -p "$key" "$runs/keys/key"
    status_of axdb_write clean --axdb-only --backup-key-file "$runs/keys/key"
    [ "$status" = 78 ]
    says "lies in the runs directory"
    [ "$(rows_left)" = "$all" ]
}
