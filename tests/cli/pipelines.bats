#!/usr/bin/env bats
# Azure DevOps and GitHub Actions: annotations, and rows that try to be commands.

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

azure() { TF_BUILD=True status_of "$@"; }
github() { GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$BATS_TEST_TMPDIR/summary status_of "$@"; }

# commands: what the agents would take for a command, by their own rules: Azure's anywhere in a line, GitHub's at its
# start, blanks left out (Command.cs, ActionCommand.cs).
commands() {
    node -e '
        for (const file of process.argv.slice(1))
            for (const line of require("fs").readFileSync(file, "utf8").split(/\r\n|\r|\n/)) {
                const at = line.search(/##vso\[|##\[/i);
                if (at >= 0) console.log(line.slice(at));
                else if (line.trimStart().startsWith("::")) console.log(line.trimStart());
            }' "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
}

@test "without their variables there is no annotation" {
    status_of verify
    [ "$status" = 2 ]
    [ -z "$(commands)" ]
    TF_BUILD=no GITHUB_ACTIONS='' status_of verify
    [ -z "$(commands)" ]
}

@test "azure: the verdict and each required check that differs, on stderr" {
    azure verify
    [ "$status" = 2 ]
    grep -qE '^##vso\[task.logissue type=error\]dwclean verify: RESIDUE: 1043 rows' "$BATS_TEST_TMPDIR/stderr"
    grep -qE '^##vso\[task.logissue type=error\]dwclean verify: RESIDUE: A-ROWS differs: ' "$BATS_TEST_TMPDIR/stderr"
    refute grep -qF '##' "$BATS_TEST_TMPDIR/stdout"
    [ "$(commands | wc -l)" -le 10 ]
    refute grep -q '^::' "$BATS_TEST_TMPDIR/stderr"
}

@test "github: the same, and a summary of the job" {
    echo "before" >"$BATS_TEST_TMPDIR/summary"
    github verify
    [ "$status" = 2 ]
    grep -qE '^::error title=dwclean verify%3A RESIDUE::1043 rows' "$BATS_TEST_TMPDIR/stderr"
    grep -qE '^::error title=dwclean verify%3A RESIDUE::D-ROWS differs: ' "$BATS_TEST_TMPDIR/stderr"
    cat "$BATS_TEST_TMPDIR/summary"
    [ "$(head -n 1 "$BATS_TEST_TMPDIR/summary")" = before ]
    grep -q '^| BUSINESSEVENTSDEFINITION | 958 |' "$BATS_TEST_TMPDIR/summary"
}

@test "success is not annotated; a failure before the run is" {
    clean_all >/dev/null
    TF_BUILD=True github verify
    [ "$status" = 0 ]
    [ -z "$(commands)" ]
    github verify --bogus
    [ "$status" = 64 ]
    [ "$(commands | grep -c '^::error title=dwclean verify%3A FAILED::unknown option --bogus')" = 1 ]
}

@test "in a log of JSON objects there are no commands" {
    TF_BUILD=True github verify --log-format json
    [ "$status" = 2 ]
    [ -z "$(commands)" ]
    [ -s "$BATS_TEST_TMPDIR/summary" ]
}

@test "rows that look like commands stay rows, in text, JSON, annotations and summary" {
    # a host can hold none of these signs; channels and names of maps can hold any
    sql "UPDATE TOP (7) dbo.BUSINESSEVENTSDEFINITION SET CHANNEL = N'##vso[task.complete result=Succeeded;]'"
    sql "UPDATE dbo.BUSINESSEVENTSDEFINITION SET CHANNEL = N'##[error]%0A::error::x' WHERE CHANNEL = N'DualWrite2'"
    sql "UPDATE dbo.BUSINESSEVENTSDEFINITION SET CHANNEL = N'::set-output name=a::b' WHERE CHANNEL = N'DualWrite3'"
    # without the variables these signs do come through: the test sees them
    status_of verify
    [ "$status" = 2 ]
    commands
    [ "$(commands | wc -l)" -ge 2 ]
    for form in text json; do
        export TF_BUILD=True
        github verify --format "$form" -v
        [ "$status" = 2 ]
        unset TF_BUILD
        commands
        refute grep -qvE '^(##vso\[task.logissue type=(error|warning)\]dwclean verify|::(error|warning) title=dwclean verify)' < <(commands)
        commands | grep -q .
        # one command a line
        refute grep -qE '.(##vso\[|##\[)' "$BATS_TEST_TMPDIR/stderr"
        [ "$form" = text ] || json outcome <"$BATS_TEST_TMPDIR/stdout"
    done
    says '\u0023'
    # the line for monitoring is no command either
    azure verify --nagios
    [ "$status" = 2 ]
    refute grep -qF '##' "$BATS_TEST_TMPDIR/stdout"
    refute grep -qE '##(vso)?\[|::|<' "$BATS_TEST_TMPDIR/summary"
}

@test "the JSON of a pipeline is the same report" {
    sql "UPDATE TOP (7) dbo.BUSINESSEVENTSDEFINITION SET CHANNEL = N'##vso[x]'"
    azure verify --format json
    refute grep -qF '##' "$BATS_TEST_TMPDIR/stdout"
    node -e 'if (!JSON.stringify(JSON.parse(require("fs").readFileSync(process.argv[1]))).includes("##vso[")) process.exit(1)' \
        "$BATS_TEST_TMPDIR/stdout"
}
