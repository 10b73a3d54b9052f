#!/usr/bin/env bats
# The main job on scenario A, over the wire.

setup_file() {
    load support
    boot scenario-a
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

@test "verify finds the residue on both sides and names it" {
    status_of verify
    [ "$status" = 2 ]
    says contoso-prod.crm4.dynamics.com
    says org6459f7a8
    for count in 34 958 17; do says "$count"; done
}

@test "verify sends no statement that writes" {
    status_of verify
    [ "$status" = 2 ]
    control /log >"$BATS_TEST_TMPDIR/log"
    grep -q '"kind":"batch"' "$BATS_TEST_TMPDIR/log"
    # by the server's own log: no DELETE, INSERT, UPDATE, MERGE, TRUNCATE, CREATE, DROP, ALTER, BEGIN TRAN
    node -e '
        const lines = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map(JSON.parse);
        const bad = lines.filter((l) => (l.kind === "batch" || l.kind === "rpc") &&
            /\b(delete|insert|update|merge|truncate|create|drop|alter|grant|begin\s+tran|commit|sp_getapplock)\b/i.test(
                l.sql.replace(/--[^\n]*/g, "").replace(/HAS_PERMS_BY_NAME\([^)]*\)/gi, "")));
        if (bad.length) { console.log(bad.map((l) => l.sql).join("\n---\n")); process.exit(1); }
        const web = lines.filter((l) => l.kind === "http" && l.method !== "GET" && !/oauth2/.test(l.path));
        if (web.length) { console.log(web); process.exit(1); }' "$BATS_TEST_TMPDIR/log"
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "verify --axdb-only needs one login and two batches" {
    status_of verify_axdb --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 2 ]
    control /log >"$BATS_TEST_TMPDIR/log"
    [ "$(grep -c '"kind":"login"' "$BATS_TEST_TMPDIR/log")" = 1 ]
    [ "$(grep -c '"kind":"batch"' "$BATS_TEST_TMPDIR/log")" = 2 ]
}

@test "verify needs no writable disk" {
    unshare -m true 2>/dev/null || skip "needs the right to make a mount namespace"
    mapfile -t t < <(axdb_target; dataverse_target)
    status_of unshare -m sh -c 'mount -o remount,bind,ro / && ! touch /tmp/x 2>/dev/null && exec "$@"' sh \
        "$DWCLEAN" verify "${t[@]}"
    [ "$status" = 2 ]
    says 958
}

@test "a dry run says WOULD, gives a plan-id, and changes nothing" {
    status_of clean --dry-run
    [ "$status" = 0 ]
    says WOULD
    [ "$(plan_id)" = "$(plan_id)" ]
    [ "$(rows_left)" = "34 34 958 17" ]
    [ ! -e "$runs" ]
}

@test "clean backs up, removes and proves" {
    status_of clean_all
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    run=$(ls -d "$runs"/2*)
    # whoever is blocked by this run can see which one it is
    logged '"application":"dwclean/[0-9.]* run='"$(basename "$run")"'"'
    (cd "$run" && sha256sum --quiet -c SHA256SUMS)
    [ "$(zstdcat "$run/backup/events.ndjson.zst" | wc -l)" -ge 958 ]
    [ "$(stat -c %a "$run")" = 700 ]
    [ -z "$(find "$run" -type f ! -perm 600)" ]
    for step in open plan confirmed backup-sealed commit-sent committed verified close; do
        grep -q "\"step\":\"$step\"" "$run/journal.ndjson"
    done
    status_of verify
    [ "$status" = 0 ]
    status_of clean_all
    [ "$status" = 0 ]
    says "nothing to do"
}

@test "no secret reaches stdout, stderr, journal or reports" {
    status_of clean_all -v
    [ "$status" = 0 ]
    run=$(ls -d "$runs"/2*)
    zstdcat "$run/backup/field.ndjson.zst" | grep -q SECRET-MARKER # the backup holds what the rows held
    for secret in SECRET-MARKER "$DWCLEAN_PASSWORD" "$DWCLEAN_CLIENT_SECRET"; do
        refute grep -rqF -e "$secret" "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr" \
            "$run/journal.ndjson" "$run/plan.ndjson" "$run/run.json" "$run/report.txt" "$run/report.html" "$run/report.json"
    done
    refute grep -qi 'bearer ' "$BATS_TEST_TMPDIR/stderr"
}

@test "another plan-id than the present plan's is stale" {
    id=$(plan_id)
    sql "UPDATE dbo.BUSINESSEVENTSDEFINITION SET ENABLED = 1 - ENABLED WHERE RECID = (SELECT MIN(RECID) FROM dbo.BUSINESSEVENTSDEFINITION)"
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 5 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a row that appears between backup and delete stops everything" {
    id=$(plan_id)
    fault '{"at":"tsql.statement","match":"TABLOCKX","times":1,"do":"sql","text":"INSERT INTO dbo.DUALWRITEPROJECTFIELDCONFIGURATION (PROJECTNAME, PARTITION, RECVERSION, RECID) VALUES (N'"'late'"', 5637144576, 1, 9999999)"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 5 ]
    [ "$(rows_left)" = "34 35 958 17" ]
    says DUALWRITEPROJECTFIELDCONFIGURATION
}


@test "nobody there to confirm is a refusal, and --yes alone too" {
    status_of clean
    [ "$status" = 4 ]
    says --maps-are-stopped
    status_of clean --maps-are-stopped
    [ "$status" = 4 ]
    says --plan-id
    status_of clean --yes --maps-are-stopped
    [ "$status" = 4 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "without --class a target counts as production" {
    mapfile -t t < <(axdb_target; dataverse_target)
    status_of "$DWCLEAN" clean --runs-dir "$runs" "${t[@]}" --maps-are-stopped --reason r --yes \
        --plan-id "$(printf %064d 0)"
    [ "$status" = 4 ]
    says production
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a closed stdout does not stop a run" {
    id=$(plan_id)
    status=0
    clean --maps-are-stopped --reason test --yes --plan-id "$id" >&- || status=$?
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    [ -s "$(ls -d "$runs"/2*)/report.txt" ]
}

@test "a broken pipe does not stop a run" {
    id=$(plan_id)
    clean --maps-are-stopped --reason test --yes --plan-id "$id" | true
    [ "${PIPESTATUS[0]}" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "an unwritable or volatile runs directory is refused before anything changes" {
    id=$(plan_id)
    for place in /proc/nowhere "$BATS_TEST_TMPDIR/file/below"; do
        touch "$BATS_TEST_TMPDIR/file"
        status_of clean --maps-are-stopped --reason test --yes --plan-id "$id" --runs-dir "$place"
        [ "$status" = 13 ]
    done
    if [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
        status_of clean --maps-are-stopped --reason test --yes --plan-id "$id" --runs-dir /dev/shm/dwclean-test
        [ "$status" = 13 ]
        says --volatile-runs-dir
    fi
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a full disk is refused before anything changes" {
    [ "$(id -u)" = 0 ] || skip "needs root to mount a small file system"
    id=$(plan_id)
    mkdir "$BATS_TEST_TMPDIR/small"
    mount -t tmpfs -o size=64k tmpfs "$BATS_TEST_TMPDIR/small" || skip "no mount here"
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id" \
        --runs-dir "$BATS_TEST_TMPDIR/small/runs" --volatile-runs-dir
    umount "$BATS_TEST_TMPDIR/small"
    [ "$status" = 13 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a held table lock is lock not obtained, and verify then does not know" {
    fault '{"at":"tsql.statement","match":"READCOMMITTEDLOCK","times":0,"do":"error","arg":1222,"text":"Lock request time out period exceeded."}'
    status_of verify_axdb --expect-dataverse-host contoso-uat.crm4.dynamics.com
    [ "$status" = 11 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a COMMIT without an answer is settled by a look under lock; nothing is purged before resume" {
    id=$(plan_id)
    fault '{"at":"tds.commit.after","times":1,"do":"cut"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 3 ]
    [ "$(rows_left)" = "0 0 0 17" ]
    says "COMMIT        no answer came to it"
    says "dwclean resume"
}

@test "a connection lost before COMMIT changes nothing" {
    id=$(plan_id)
    fault '{"at":"tds.request","match":"DELETE FROM","times":1,"do":"cut"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 10 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a runtime configuration that is only stamped before its delete is backed up again and goes" {
    id=$(plan_id)
    fault '{"at":"dv.delete","times":1,"do":"other","text":"changed"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
    says "1 row of Dataverse: stamped by the service"
    run=$(ls -d "$runs"/2*)
    [ -f "$run/backup-2/SEALED.json" ]
    grep -q '"step":"backup-again"' "$run/journal.ndjson"
    (cd "$run" && sha256sum --quiet -c SHA256SUMS && grep -q backup-2/manifest.json SHA256SUMS)
}

@test "a runtime configuration that changes before its delete stays and is named" {
    id=$(plan_id)
    fault '{"at":"dv.delete","times":1,"do":"other","text":"changed-name"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 3 ]
    [ "$(rows_left)" = "0 0 0 1" ]
}

@test "a lost answer in the purge is settled by asking again" {
    id=$(plan_id)
    fault '{"at":"dv.after","match":"DELETE","times":1,"do":"cut"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "Ctrl-C at the prompt changes nothing" {
    mapfile -t t < <(axdb_target; dataverse_target)
    printf '%q ' "$DWCLEAN" clean --class sandbox --runs-dir "$runs" "${t[@]}" >"$BATS_TEST_TMPDIR/command"
    session=dwclean-$$-$BATS_TEST_NUMBER
    tmux -L "$session" -f /dev/null new-session -d -x 80 -y 50 \
        "export DWCLEAN_PASSWORD='$DWCLEAN_PASSWORD' DWCLEAN_CLIENT_SECRET='$DWCLEAN_CLIENT_SECRET'; bash -c \"\$(cat '$BATS_TEST_TMPDIR/command')\"; echo \$? >'$BATS_TEST_TMPDIR/code'"
    for _ in $(seq 100); do
        tmux -L "$session" capture-pane -p | grep -q STOPPED && break
        sleep 0.1
    done
    tmux -L "$session" capture-pane -p
    tmux -L "$session" send-keys C-c
    for _ in $(seq 100); do [ -s "$BATS_TEST_TMPDIR/code" ] && break; sleep 0.1; done
    tmux -L "$session" kill-server 2>/dev/null || true
    [ "$(cat "$BATS_TEST_TMPDIR/code")" = 130 ]
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "typed answers at a terminal are enough" {
    mapfile -t t < <(axdb_target; dataverse_target)
    printf '%q ' "$DWCLEAN" clean --class sandbox --runs-dir "$runs" "${t[@]}" >"$BATS_TEST_TMPDIR/command"
    session=dwclean-$$-$BATS_TEST_NUMBER
    tmux -L "$session" -f /dev/null new-session -d -x 80 -y 60 \
        "export DWCLEAN_PASSWORD='$DWCLEAN_PASSWORD' DWCLEAN_CLIENT_SECRET='$DWCLEAN_CLIENT_SECRET'; bash -c \"\$(cat '$BATS_TEST_TMPDIR/command')\"; echo \$? >'$BATS_TEST_TMPDIR/code'"
    wait_for() {
        for _ in $(seq 100); do
            tmux -L "$session" capture-pane -p | grep -q "$1" && return 0
            sleep 0.1
        done
        tmux -L "$session" capture-pane -p
        return 1
    }
    wait_for 'Type STOPPED'
    tmux -L "$session" send-keys STOPPED Enter
    wait_for 'DATABASE@SERVER'
    tmux -L "$session" send-keys "AxDB@localhost,$SANDBOX_TDS_PORT" Enter
    wait_for 'unique name'
    tmux -L "$session" send-keys org6459f7a8 Enter
    for _ in $(seq 200); do [ -s "$BATS_TEST_TMPDIR/code" ] && break; sleep 0.1; done
    tmux -L "$session" kill-server 2>/dev/null || true
    [ "$(cat "$BATS_TEST_TMPDIR/code")" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}

@test "SIGTERM in the purge ends with rows settled and status 3" {
    id=$(plan_id)
    fault '{"at":"dv.request","match":"$batch","times":0,"do":"delay","arg":4000}'
    clean --maps-are-stopped --reason test --yes --plan-id "$id" >"$BATS_TEST_TMPDIR/stdout" 2>&1 &
    pid=$!
    for _ in $(seq 100); do
        grep -qs purge-intent "$runs"/2*/journal.ndjson && break
        sleep 0.1
    done
    pkill -TERM -P "$pid" -x dwclean || kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    cat "$BATS_TEST_TMPDIR/stdout"
    [ "$status" = 3 ] || [ "$status" = 0 ]
    [ "$status" = 3 ]
}
