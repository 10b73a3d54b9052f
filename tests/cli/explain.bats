#!/usr/bin/env bats
# explain: a pasted text means what it says; a target is looked at where the command line names it, and nowhere else.

setup_file() {
    load support
    boot own-host
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

secure_config="SecureConfig Organization (ProjOpsTest4) doesn't match actual CRM Organization (org6459f7a8)"

explain_dataverse() { mapfile -t t < <(dataverse_target); "$DWCLEAN" explain "$1" --dataverse-only "${t[@]}" "${@:2}" </dev/null; }

# shown <REPORT: ids of the symptoms, each with what became of it.
shown() {
    node -e '
        const report = JSON.parse(require("fs").readFileSync(0));
        process.stdout.write(report.explained.map(e => e.id + (e.confirmation === "none" ? "" : ":" + e.confirmation)).join(" "));'
}

@test "a text is explained without any target, and nothing is connected" {
    status_of "$DWCLEAN" explain "$secure_config"
    [ "$status" = 0 ]
    [[ "$output" == EXPLAINED* ]]
    says "made in: ProjOpsTest4"
    says "dwclean clean --dataverse-only"
    refute says "Nothing was changed"
    [ -z "$stderr" ]
    refute logged .
}

@test "several errors of one text, from standard input and with odd bytes" {
    printf '\xff\x00\r\n%s\r\n...\x01 DWFOEV1004 \xe2\x80\x9cx\xe2\x80\x9d\r\n' "$secure_config" >"$BATS_TEST_TMPDIR/trace"
    status_of "$DWCLEAN" explain --format json <"$BATS_TEST_TMPDIR/trace"
    [ "$status" = 0 ]
    [ "$(shown <<<"$output")" = "S01 S08" ]
    [ "$(json outcome <<<"$output")" = explained ]
    status_of "$DWCLEAN" explain - --format json <"$BATS_TEST_TMPDIR/trace"
    [ "$(shown <<<"$output")" = "S01 S08" ]
}

@test "an id alone is explained too, in any case" {
    status_of "$DWCLEAN" explain s05
    [ "$status" = 0 ]
    says "customers cannot be saved"
}

@test "no match is status 1, and says what would help" {
    status_of "$DWCLEAN" explain "all is well" --format json
    [ "$status" = 1 ]
    [ "$(json error.code <<<"$output")" = not_found ]
    says "DWFOEV1004"
}

@test "no text, too much of it, and unquoted words are usage errors" {
    status_of "$DWCLEAN" explain </dev/null
    [ "$status" = 64 ]
    says "the text is empty"
    status_of "$DWCLEAN" explain '' </dev/null
    [ "$status" = 64 ]
    head -c 1048577 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/large"
    status_of "$DWCLEAN" explain <"$BATS_TEST_TMPDIR/large"
    [ "$status" = 64 ]
    says "longer than 1048576 bytes"
    head -c 1048576 "$BATS_TEST_TMPDIR/large" >"$BATS_TEST_TMPDIR/largest"
    status_of "$DWCLEAN" explain <"$BATS_TEST_TMPDIR/largest"
    [ "$status" = 1 ]
    for words in "a b" "a b c d e"; do
        # shellcheck disable=SC2086
        status_of "$DWCLEAN" explain $words </dev/null
        [ "$status" = 64 ]
        says quotes
    done
}

@test "a stop signal ends the wait for a text" {
    mkfifo "$BATS_TEST_TMPDIR/pipe"
    exec 9<>"$BATS_TEST_TMPDIR/pipe"
    timeout -s TERM 0.5 "$DWCLEAN" explain --format json <&9 >"$BATS_TEST_TMPDIR/stdout" || true
    [ "$(json exit_status <"$BATS_TEST_TMPDIR/stdout")" = 143 ]
}

@test "at a terminal every symptom is listed, as text and JSON" {
    status_of script -qec "'$DWCLEAN' explain" /dev/null
    [ "$status" = 0 ]
    for id in S01 S12 S27; do says "$id"; done
    status_of script -qec "'$DWCLEAN' explain --format json" /dev/null
    [ "$status" = 0 ]
    node -e '
        const { symptoms } = JSON.parse(require("fs").readFileSync(0));
        if (symptoms.length < 27 || symptoms.some(s => !s.texts.length && !s.sign)) process.exit(1);' <<<"$output"
    status_of script -qec "'$DWCLEAN' explain -S localhost -d AxDB -U u" /dev/null
    [ "$status" = 64 ]
    says "no text to explain"
}

@test "a variable names no target" {
    DWCLEAN_SERVER="localhost,$SANDBOX_TDS_PORT" DWCLEAN_DATABASE=AxDB DWCLEAN_USER=dwclean \
        DWCLEAN_DATAVERSE_URL=$SANDBOX_DATAVERSE_URL status_of "$DWCLEAN" explain S08
    [ "$status" = 0 ]
    says "variable DWCLEAN_SERVER (localhost,$SANDBOX_TDS_PORT) is ignored"
    refute logged .
}

@test "a named target is looked at: confirmed, with the status of verify" {
    status_of explain_dataverse DWDVEV1004 --format json
    [ "$status" = 2 ]
    [ "$(shown <<<"$output")" = S08:confirmed ]
    [ "$(json outcome <<<"$output")" = residue ]
    status_of explain_dataverse "${secure_config/org6459f7a8/orgother}"
    [ "$status" = 2 ]
    says "the text is from organization orgother"
    mapfile -t t < <(axdb_target)
    status_of "$DWCLEAN" explain DWFOEV1004 "${t[@]}" --format json
    [ "$status" = 2 ]
    [ "$(shown <<<"$output")" = S08:confirmed ]
    [ "$(json before.dataverse <<<"$output")" = "" ]
}

@test "half a target, a wrong login and a dead port have their own statuses" {
    status_of "$DWCLEAN" explain S08 -S localhost -U u
    [ "$status" = 64 ]
    says "-d is missing"
    mapfile -t t < <(axdb_target)
    DWCLEAN_PASSWORD=wrong status_of "$DWCLEAN" explain S08 "${t[@]}"
    [ "$status" = 12 ]
    status_of "$DWCLEAN" explain S08 "${t[@]}" -S localhost,1
    [ "$status" = 10 ]
    says "not decided"
}
