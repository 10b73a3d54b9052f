#!/usr/bin/env bats
# The manual pages of the build: they render without a warning, nothing of them is cut, and they are installed where man looks.
# What must be in them: tests/unit/cli/test_manual.c.

setup() {
    load support
    build=${DWCLEAN%/*}
    doc=$build/doc
    pages=("$doc/dwclean.1" "$doc/dwclean-config.5")
}

# rendered PAGE COLUMNS: as man shows it, without bold; what man has to say about it is left in warnings.
rendered() {
    MANWIDTH=$2 MANROFFOPT='' LC_ALL=C.UTF-8 man --warnings=w -l "$1" 2>"$BATS_TEST_TMPDIR/warnings" | LC_ALL=C.UTF-8 col -bx
}

@test "the pages render without a warning" {
    for page in "${pages[@]}"; do
        [ -s "$page" ]
        run groff -man -Tutf8 -ww -z "$page"
        echo "$output"
        [ "$status" = 0 ]
        [ -z "$output" ]
        run mandoc -Tlint -W warning "$page"
        echo "$output"
        [ "$status" = 0 ]
        [ -z "$output" ]
    done
}

@test "a page that is broken is found out" {
    sed '/^\.SH OPTIONS/a .nosuchmacro' "${pages[0]}" >"$BATS_TEST_TMPDIR/broken.1"
    [ -n "$(groff -man -Tutf8 -ww -z "$BATS_TEST_TMPDIR/broken.1" 2>&1)" ]
    refute mandoc -Tlint -W warning "$BATS_TEST_TMPDIR/broken.1"
}

@test "man shows them in 60 and in 80 columns without a warning, and no line is wider" {
    for page in "${pages[@]}"; do
        for columns in 60 80; do
            rendered "$page" "$columns" >"$BATS_TEST_TMPDIR/shown"
            cat "$BATS_TEST_TMPDIR/warnings"
            [ ! -s "$BATS_TEST_TMPDIR/warnings" ]
            [ "$(wc -l <"$BATS_TEST_TMPDIR/shown")" -gt 100 ]
            widest=$(LC_ALL=C.UTF-8 wc -L <"$BATS_TEST_TMPDIR/shown")
            echo "${page##*/}: $columns columns, the widest line $widest"
            [ "$widest" -le "$columns" ]
            # no word is cut in two
            refute grep -q '‐$' "$BATS_TEST_TMPDIR/shown"
        done
    done
}

@test "every entry stands in one line of its own, in 60 columns too" {
    for page in "${pages[@]}"; do
        rendered "$page" 60 | sed 's/^ *//' >"$BATS_TEST_TMPDIR/shown"
        grep -A1 -E '^\.T[PQ]$' "$page" | grep '^\\f' | sed -e 's/\\f[BIR]//g' -e 's/\\-/-/g' -e 's/\\(rs/\\/g' \
            >"$BATS_TEST_TMPDIR/entries"
        [ "$(wc -l <"$BATS_TEST_TMPDIR/entries")" -ge 50 ]
        while IFS= read -r entry; do
            awk -v entry="${entry//\\/\\\\}" 'index($0, entry) == 1 { found = 1 } END { exit !found }' \
                "$BATS_TEST_TMPDIR/shown" || { echo "cut: $entry"; false; }
        done <"$BATS_TEST_TMPDIR/entries"
    done
}

@test "whatis finds the name and the purpose" {
    for page in "${pages[@]}"; do
        lexgrog "$page" | grep -q 'dwclean\(-config\)\? - '
    done
}

@test "every example of the manual is a command line that is understood" {
    sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "${pages[0]}" | sed -n '/^\.EX/,/^\.EE/p' | sed -e '/^\./d' -e 's/\\-/-/g' -e 's/\\e$/\\/' |
        sed -e ':a' -e '/\\$/{N;s/\\\n *//;ba' -e '}' >"$BATS_TEST_TMPDIR/examples"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/examples")" = 9 ]
    while read -r program words; do
        [ "$program" = dwclean ]
        # shellcheck disable=SC2086
        status_of "$DWCLEAN" ${words/--plan-id ID/--plan-id $(printf '%064d' 1)} --help
        [ "$status" = 0 ]
    done <"$BATS_TEST_TMPDIR/examples"
}

@test "the example of the configuration file is read" {
    sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "${pages[1]}" | sed -n '/^\.EX/,/^\.EE/p' | sed -e '/^\./d' -e 's/\\-/-/g' >"$BATS_TEST_TMPDIR/config.ini"
    chmod 600 "$BATS_TEST_TMPDIR/config.ini"
    status_of "$DWCLEAN" env show uat --config "$BATS_TEST_TMPDIR/config.ini"
    [ "$status" = 0 ]
    says org6459f7a8
}

@test "the same sources give the same bytes, and the date is that of the sources" {
    for page in "${pages[@]}"; do
        template=$SOURCE_DIR/src/cli/docs/${page##*/}.in
        for n in 1 2; do
            SOURCE_DATE_EPOCH=86400 "$build/dwclean-docs" manual "$template" 2026-01-02 "$BATS_TEST_TMPDIR/$n"
        done
        cmp "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2"
        grep -q '^\.TH .* "1970-01-02" "dwclean [0-9.]*"' "$BATS_TEST_TMPDIR/1"
        env -u SOURCE_DATE_EPOCH "$build/dwclean-docs" manual "$template" 2026-01-02 "$BATS_TEST_TMPDIR/1"
        grep -q '^\.TH .* "2026-01-02"' "$BATS_TEST_TMPDIR/1"
    done
}

@test "pages and completions are installed where man and the shells look" {
    cmake --install "$build" --prefix "$BATS_TEST_TMPDIR/usr" >"$BATS_TEST_TMPDIR/install.log"
    cat "$BATS_TEST_TMPDIR/install.log"
    share=$BATS_TEST_TMPDIR/usr/share
    cmp "$share/man/man1/dwclean.1" "$doc/dwclean.1"
    cmp "$share/man/man5/dwclean-config.5" "$doc/dwclean-config.5"
    cmp "$share/bash-completion/completions/dwclean" "$doc/dwclean.bash"
    cmp "$share/zsh/site-functions/_dwclean" "$doc/_dwclean"
    cmp "$share/fish/vendor_completions.d/dwclean.fish" "$doc/dwclean.fish"
    [ "$(MANPATH=$share/man man -w dwclean)" = "$share/man/man1/dwclean.1" ]
    [ "$(MANPATH=$share/man man -w dwclean-config)" = "$share/man/man5/dwclean-config.5" ]
    refute test -e "$BATS_TEST_TMPDIR/usr/bin/dwclean-docs"
}
