#!/usr/bin/env bats
# The history: runs, show RUN, what a new run says of an open one, who waits for whom.

setup_file() {
    load support
    boot scenario-a
    export VALIDATOR=$BATS_FILE_TMPDIR/validator
    mkdir "$VALIDATOR"
    cp "$BATS_TEST_DIRNAME"/{package.json,package-lock.json,.npmrc,validate_json.mjs} "$VALIDATOR"
    (cd "$VALIDATOR" && npm ci >npm.log 2>&1) || cat "$VALIDATOR/npm.log" >&2
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

history() { "$DWCLEAN" "$1" --runs-dir "$runs" "${@:2}" </dev/null; }

# both CHANGE...: what changes both halves, with the event rows of every channel.
both() { confirmed both_write "$@" --channels all; }

# at_commit: a clean whose COMMIT is done and gets no answer.
lost_commit() {
    fault '{"at":"tds.commit.after","times":1,"do":"cut"}'
    status_of both clean
    control -X DELETE /faults
    [ "$status" = 3 ]
}

# unsettled: the same, and the run is killed before it finds out.
unsettled() {
    local id pid
    id=$(both_write clean --channels all --dry-run --format json | json plan_id)
    fault '{"at":"tds.commit.after","times":1,"do":"delay","arg":3000}'
    both_write clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id" >/dev/null 2>&1 3>&- &
    pid=$!
    for _ in $(seq 100); do
        grep -qs '"commit-sent"' "$runs"/2*/journal.ndjson && break
        sleep 0.05
    done
    kill -KILL "$(pgrep -P "$pid" -x dwclean || echo "$pid")"
    wait "$pid" || true
    fresh_faults
}
fresh_faults() { control -X DELETE /faults; }

@test "no runs, and no directory: both are said, and are no failure" {
    status_of history runs
    [ "$status" = 0 ]
    says "there is no such directory"
    mkdir -p "$runs"
    status_of history runs
    [ "$status" = 0 ]
    says "no runs in $runs"
    status_of history runs --format json
    [ "$(json runs.length <"$BATS_TEST_TMPDIR/stdout")" = 0 ]
    touch "$BATS_TEST_TMPDIR/file"
    status_of history runs --runs-dir "$BATS_TEST_TMPDIR/file" --format json
    [ "$status" = 13 ]
    [ "$(json error.code <"$BATS_TEST_TMPDIR/stdout")" = storage ]
}

@test "runs: what was done, undone, refused and lost, the last one first" {
    status_of both clean
    [ "$status" = 0 ]
    status_of both_write clean --channels all --maps-are-stopped --yes --plan-id "$(printf %064d 0)"
    done=$(basename "$(ls -d "$runs"/2* | head -1)")
    status_of confirmed both_write undo last
    [ "$status" = 0 ]
    lost_commit
    status_of history runs
    [ "$status" = 0 ]
    [ "$(grep -cE '^  2[0-9-]+ ' "$BATS_TEST_TMPDIR/stdout")" = 3 ]
    [[ $(grep -E '^  2' "$BATS_TEST_TMPDIR/stdout" | sed -n 1p) =~ clean\ +partial\ +1026 ]]
    [[ $(grep -E '^  2' "$BATS_TEST_TMPDIR/stdout" | sed -n 2p) =~ undo\ +done\ +1043 ]]
    [[ $(grep -E '^  2' "$BATS_TEST_TMPDIR/stdout" | sed -n 3p) =~ clean\ +done\ +1043 ]]
    says "undone by"
    [ "$(awk '{ if (length > 80) n++ } END { print n + 0 }' "$BATS_TEST_TMPDIR/stdout")" = 0 ]
    history runs --format json >"$BATS_TEST_TMPDIR/runs.json"
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/history.schema.json" \
        "$BATS_TEST_TMPDIR/runs.json"
    [ "$(json runs.2.run <"$BATS_TEST_TMPDIR/runs.json")" = "$done" ]
    [ "$(json runs.2.only_copies <"$BATS_TEST_TMPDIR/runs.json")" = 0 ]
    [ "$(json runs.0.only_copies <"$BATS_TEST_TMPDIR/runs.json")" = 1026 ]
    # by environment; one that no file knows is no error
    status_of history runs --env axdb
    [ "$(grep -cE '^  2[0-9-]+ ' "$BATS_TEST_TMPDIR/stdout")" = 3 ]
    status_of history runs --env other
    [ "$status" = 0 ]
    says "no runs of other"
}

@test "a damaged run is listed with the reason, and prune keeps it" {
    status_of both clean
    run=$(ls -d "$runs"/2*)
    sed -i '2s/"step":"./"step":"x/' "$run/journal.ndjson"
    status_of history runs
    [ "$status" = 0 ]
    says damaged
    says "1 run is damaged"
    says "does not follow from the line before it"
    status_of history show last
    [ "$status" = 13 ]
    says "is damaged"
    status_of history prune --older-than 0s --yes
    [ "$status" = 0 ]
    says "stays"
    [ -d "$run" ]
}

@test "show RUN: who, when, what, which files, and what is next" {
    status_of both clean
    run=$(basename "$(ls -d "$runs"/2*)")
    status_of history show last
    [ "$status" = 0 ]
    for text in "done: 1043 rows removed" "$run" org6459f7a8 "reason        test" "backup-sealed" \
        "$(sha256sum <"$runs/$run/backup/events.ndjson.zst" | cut -c1-64)" "dwclean undo $run"; do
        says "$text"
    done
    refute grep -qF "$DWCLEAN_PASSWORD" "$BATS_TEST_TMPDIR/stdout"
    status_of history show last --verify
    [ "$status" = 0 ]
    says "backup/events.ndjson.zst: 958 rows, the digest of every row holds"
    says "0 failed"
    for more in "" --verify; do
        history show last --format json $more >"$BATS_TEST_TMPDIR/show.json"
        node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/history.schema.json" \
            "$BATS_TEST_TMPDIR/show.json"
    done
    [ "$(json verification.ok <"$BATS_TEST_TMPDIR/show.json")" = true ]
}

@test "show RUN --verify finds a byte that was changed in any file" {
    status_of both clean
    run=$(ls -d "$runs"/2*)
    tried=0
    while read -r file; do
        cp -p "$file" "$BATS_TEST_TMPDIR/kept"
        size=$(stat -c %s "$file")
        for at in 0 $((size / 2)) $((size - 1)); do
            byte=$(od -An -tu1 -j "$at" -N 1 "$file")
            printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
            status_of history show last --verify >/dev/null
            [ "$status" = 13 ] || { echo "byte $at of $file"; false; }
            cp -p "$BATS_TEST_TMPDIR/kept" "$file"
            tried=$((tried + 1))
        done
    done < <(find "$run" -type f)
    echo "# $tried changed bytes, each found" >&3
    status_of history show last --verify
    [ "$status" = 0 ]
}

@test "a COMMIT that nobody has settled stops a new run until resume has" {
    unsettled
    [ "$(rows_left)" = "0 0 0 17" ]
    run=$(basename "$(ls -d "$runs"/2*)")
    status_of history runs
    says unknown
    status_of both_write clean --channels all --dry-run
    [ "$status" = 4 ]
    says "run $run on the same target has sent a COMMIT whose outcome is not known"
    says "dwclean resume $run"
    [ "$(ls -d "$runs"/2* | wc -l)" = 1 ]
    # the other half of it as well: what it would purge belongs to rows that may be there
    status_of dataverse_write clean --dataverse-only --maps-are-stopped --yes --plan-id "$(printf %064d 0)"
    [ "$status" = 4 ]
    id=$(json plan_id < <(history show "$run" --format json))
    status_of both_write resume "$run" --channels all --maps-are-stopped --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    status_of both_write clean --channels all --dry-run
    [ "$status" = 0 ]
    status_of history runs
    says "done"
}

@test "a run that stopped after its change is spoken of first, with the command that finishes it" {
    lost_commit
    run=$(basename "$(ls -d "$runs"/2*)")
    status_of both_write clean --channels all --dry-run
    [ "$status" = 0 ]
    says "run $run (clean by "
    says "is not finished"
    says "dwclean resume $run"
    # a later run that came to its end ends the talk
    status_of both clean
    [ "$status" = 0 ]
    status_of both_write clean --channels all --dry-run
    [ "$status" = 0 ]
    refute says "is not finished"
}

@test "a run that was cut off before its change: nothing was changed" {
    id=$(both_write clean --channels all --dry-run --format json | json plan_id)
    fault '{"at":"tsql.statement","match":"TABLOCKX","times":1,"do":"delay","arg":20000}'
    both_write clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id" >/dev/null 2>&1 3>&- &
    pid=$!
    for _ in $(seq 100); do
        grep -qs '"backup-sealed"' "$runs"/2*/journal.ndjson && break
        sleep 0.05
    done
    holder=$(pgrep -P "$pid" -x dwclean || echo "$pid")
    # while it lives it is at work, and a second operator on this machine learns which one it is
    status_of history runs
    says running
    run=$(basename "$(ls -d "$runs"/2*)")
    status_of both_write clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 11 ]
    says "run $run (process"
    # on another machine there is another runs directory, and the application lock
    status_of both_write clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id" \
        --runs-dir "$BATS_TEST_TMPDIR/elsewhere"
    [ "$status" = 11 ]
    says "another dwclean run works on this database"
    kill -KILL "$holder"
    wait "$pid" || true
    fresh_faults
    status_of both_write clean --channels all --dry-run
    [ "$status" = 0 ]
    says "nothing was changed"
    # both locks went with the process
    status_of both clean
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "export --redact: a tar file without rows and secrets, the same bytes each time" {
    # the canary stands in a column of its own, and the server quotes it in an error
    sql "UPDATE dbo.DUALWRITEPROJECTFIELDCONFIGURATION SET FIELDMAP = N'canary-in-a-row-4711 and more'"
    fault '{"at":"tsql.statement","match":"DELETE FROM","times":1,"do":"error","arg":547,"text":"The value canary-in-a-row-4711 stands in the way."}'
    status_of both clean
    [ "$status" = 14 ]
    run=$(basename "$(ls -d "$runs"/2*)")
    grep -q canary "$runs/$run/journal.ndjson" # as the server said it
    cd "$BATS_TEST_TMPDIR"
    status_of history export "$run" --redact
    [ "$status" = 0 ]
    [ "$(stat -c %a "run-$run.tar")" = 600 ]
    tar -xf "run-$run.tar"
    (cd "dwclean-$run" && sha256sum --quiet -c SHA256SUMS)
    for secret in canary-in-a-row SECRET-MARKER "$DWCLEAN_PASSWORD" "$DWCLEAN_CLIENT_SECRET"; do
        refute grep -raqF -e "$secret" "run-$run.tar"
    done
    grep -q '\[left out\] *stands in the way' "dwclean-$run/report.json"
    grep -q '\[left out\] *stands in the way' "dwclean-$run/journal.ndjson"
    grep -q contoso-prod.crm4.dynamics.com "dwclean-$run/report.json"
    [ -z "$(find "dwclean-$run" -name '*.zst')" ]
    # the chain can be followed although texts were left out
    node -e '
        const lines = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map(JSON.parse);
        lines.forEach((l, i) => { if (i && l.previous !== lines[i - 1].original_sha256) process.exit(1); });' \
        "dwclean-$run/journal.ndjson"
    status_of history export "$run" --redact
    [ "$status" = 13 ]
    says "is there already"
    history export "$run" --redact --out again.tar
    cmp "run-$run.tar" again.tar
    status_of history export "$run" --redact --sql
    [ "$status" = 64 ]
}
