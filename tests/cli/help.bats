#!/usr/bin/env bats
# --help of every command and topic, byte for byte: fixtures/golden/help*.txt. DWCLEAN_WRITE_GOLDENS=1 writes them anew: read the
# difference before it is kept.

setup() {
    load support
    golden=$SOURCE_DIR/fixtures/golden
}

commands() { "$DWCLEAN" help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'; }
topics() { "$DWCLEAN" help help | sed -n '1s/^usage: dwclean help \[COMMAND|\(.*\)\]$/\1/p' | tr '|' '\n'; }

# is_golden NAME COMMAND...: its output is that file, one screen of 80 columns.
is_golden() {
    local file=$golden/$1.txt
    "${@:2}" >"$BATS_TEST_TMPDIR/help"
    [ -z "${DWCLEAN_WRITE_GOLDENS:-}" ] || cp "$BATS_TEST_TMPDIR/help" "$file"
    diff -u "$file" "$BATS_TEST_TMPDIR/help"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -le 55 ]
    [ "$(wc -L <"$BATS_TEST_TMPDIR/help")" -le 80 ]
}

@test "help of every command is as it was, and one screen" {
    is_golden help "$DWCLEAN" help
    [ "$(commands | wc -l)" -ge 17 ]
    for command in $(commands); do
        is_golden "help-$command" "$DWCLEAN" help "$command"
        [ "$command" = help ] || cmp "$golden/help-$command.txt" <("$DWCLEAN" "$command" --help)
    done
}

@test "every topic is as it was, and one screen" {
    [ "$(topics | wc -l)" -ge 3 ]
    for topic in $(topics); do
        is_golden "help-topic-$topic" "$DWCLEAN" help "$topic"
    done
}

@test "no golden is left of a command or topic that is gone" {
    { echo help; commands | sed 's/^/help-/'; topics | sed 's/^/help-topic-/'; } | sed 's/$/.txt/' |
        sort >"$BATS_TEST_TMPDIR/wanted"
    (cd "$golden" && ls help*.txt) | sort | diff "$BATS_TEST_TMPDIR/wanted" -
}
