#!/usr/bin/env bats
# Old runs go; what may still be needed stays.

setup_file() {
    load support
    boot small
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
both() { confirmed both_write "$@" --channels all; }

# three: two finished cleans and the undo between them.
three() {
    both clean >/dev/null
    confirmed both_write undo last >/dev/null
    both clean >/dev/null
    # the first one first; names alone do not tell within a second
    mapfile -t ids < <(history runs --format json | node -e '
        JSON.parse(require("fs").readFileSync(0)).runs.reverse().forEach((r) => console.log(r.run));')
    [ "${#ids[@]}" = 3 ]
}

@test "an age is needed, with its unit" {
    status_of history prune
    [ "$status" = 64 ]
    says --older-than
    status_of history prune --older-than 30
    [ "$status" = 64 ]
    says "30d"
    status_of history prune --older-than 12w
    [ "$status" = 0 ]
    says "nothing to prune"
}

@test "a dry run, and nobody to ask: listed, nothing removed" {
    three
    status_of history prune --older-than 0s --dry-run
    [ "$status" = 0 ]
    says "WOULD go"
    status_of history prune --older-than 0s
    [ "$status" = 4 ]
    says "not confirmed"
    says "stays     ${ids[2]}"
    status_of history prune --older-than 30d --yes
    [ "$status" = 0 ]
    says "it is not old enough"
    [ "$(ls -d "$runs"/2* | wc -l)" = 3 ]
}

@test "--yes removes them, keeps the newest, and leaves a record" {
    three
    history prune --older-than 0s --yes --format json >"$BATS_TEST_TMPDIR/prune.json"
    node "$VALIDATOR/validate_json.mjs" "$SOURCE_DIR/include/report/history.schema.json" \
        "$BATS_TEST_TMPDIR/prune.json"
    [ "$(ls -d "$runs"/2*)" = "$runs/${ids[2]}" ]
    [ "$(wc -l <"$runs/prune.ndjson")" = 2 ]
    grep -q "${ids[0]}" "$runs/prune.ndjson"
    [ -z "$(ls -A "$runs" | grep pruned-)" ]
    status_of history prune --older-than 0s --yes
    [ "$status" = 0 ]
    says "nothing to prune"
}

@test "the only copies that go are counted before" {
    both clean >/dev/null
    fresh # the same rows are there again, and the first run's copy is not needed for them
    both clean >/dev/null
    status_of history prune --older-than 0s --dry-run
    [ "$status" = 0 ]
    says "the ONLY COPY of"
    [ "$(ls -d "$runs"/2* | wc -l)" = 2 ]
}

@test "a run that is not finished stays, whatever its age" {
    fault '{"at":"tds.commit.after","times":1,"do":"cut"}'
    status_of both clean
    [ "$status" = 3 ]
    fresh
    both clean >/dev/null
    status_of history prune --older-than 0s --yes
    [ "$status" = 0 ]
    says "it is not finished"
    [ "$(ls -d "$runs"/2* | wc -l)" = 2 ]
}

@test "what an interrupted prune left is told and removed by the next one" {
    three
    mv "$runs/${ids[0]}" "$runs/.pruned-${ids[0]}"
    status_of history runs
    refute grep -q "^    ${ids[0]}" "$BATS_TEST_TMPDIR/stdout"
    says "left by an interrupted prune: 1"
    status_of history prune --older-than 52w
    [ "$status" = 4 ]
    status_of history prune --older-than 52w --yes
    [ "$status" = 0 ]
    [ ! -e "$runs/.pruned-${ids[0]}" ]
    [ "$(ls -d "$runs"/2* | wc -l)" = 2 ]
}

@test "at a terminal the word is typed" {
    three
    printf '%q ' "$DWCLEAN" prune --older-than 0s --runs-dir "$runs" >"$BATS_TEST_TMPDIR/command"
    for word in no PRUNE; do
        session=dwclean-$$-$BATS_TEST_NUMBER-$word
        rm -f "$BATS_TEST_TMPDIR/code"
        tmux -L "$session" -f /dev/null new-session -d -x 80 -y 50 \
            "bash -c \"\$(cat '$BATS_TEST_TMPDIR/command')\"; echo \$? >'$BATS_TEST_TMPDIR/code'"
        for _ in $(seq 100); do
            tmux -L "$session" capture-pane -p | grep -q 'Type PRUNE' && break
            sleep 0.1
        done
        tmux -L "$session" send-keys "$word" Enter
        for _ in $(seq 100); do [ -s "$BATS_TEST_TMPDIR/code" ] && break; sleep 0.1; done
        tmux -L "$session" kill-server 2>/dev/null || true
        [ "$(cat "$BATS_TEST_TMPDIR/code")" = "$([ "$word" = no ] && echo 4 || echo 0)" ]
    done
    [ "$(ls -d "$runs"/2* | wc -l)" = 1 ]
}
