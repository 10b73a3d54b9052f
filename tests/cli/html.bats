#!/usr/bin/env bats
# The HTML report of the binary, read by libxml2: hostile rows, refusals, runs, and what a run keeps.
# How a browser shows it: tests/html.

setup_file() {
    load support
    boot hostile
}

teardown_file() {
    load support
    halt
}

setup() {
    load support
    use_sandbox
    fresh
    page=$BATS_TEST_TMPDIR/report.html
}

# well_formed FILE: also as XML, and nothing that would be loaded or run.
well_formed() {
    xmllint --noout --nonet "$1" &&
        refute grep -qE '<script|<link|<img|<iframe|<a | (src|href|style|on[a-z]+)="|url\(|@import' "$1" &&
        refute grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$1"
}

# word FILE: the verdict.
word() { xmllint --nonet --xpath 'normalize-space(//h2)' "$1"; }

# cell FILE CAPTION ROW COLUMN: of the table with that caption.
cell() {
    xmllint --nonet --xpath "normalize-space(//table[caption='$2']/tbody/tr[th='$3']/td[$4])" "$1"
}

@test "libxml2 refuses what is not a page" {
    echo '<html><p>a & b</html>' >"$page"
    refute xmllint --noout --nonet "$page"
    refute well_formed "$page"
    echo '<html><p onclick="x">a</p></html>' >"$page"
    refute well_formed "$page"
}

@test "verify of hostile rows: found, escaped, told in numbers" {
    status_of verify --format html -o "$page"
    [ "$status" = 2 ]
    [ -z "$output" ]
    well_formed "$page"
    word "$page" | grep -q 'RESIDUE$'
    [ "$(cell "$page" "Rows by table" BUSINESSEVENTSDEFINITION 1)" = 6 ]
    [ "$(cell "$page" "Hosts that the project rows name" contoso-prod.crm4.dynamics.com 1)" = 2 ]
    grep -q '&lt;script&gt;alert(&quot;x&quot;)&lt;' "$page"
    grep -q '<b class="esc">\\x1b</b>' "$page"
    [ "$(stat -c %a "$page")" = 600 ]
}

@test "a clean run: before and after, the timeline of its journal, its hashes; kept and sealed with the run" {
    id=$(plan_id --channels all)
    status_of clean --channels all --maps-are-stopped --reason 'CHG <42>' --yes --plan-id "$id" --format html
    [ "$status" = 0 ]
    cp "$BATS_TEST_TMPDIR/stdout" "$page"
    well_formed "$page"
    word "$page" | grep -q 'DONE$'
    grep -q '<dt>Reason</dt><dd>CHG &lt;42&gt;</dd>' "$page"
    grep -qF "<dt>Plan id</dt><dd><code>$id</code></dd>" "$page"
    run=$(newest_run)
    grep -qF "<code>$run</code>" "$page"
    cmp "$page" "$run/report.html"
    grep -q '  report.html$' "$run/SHA256SUMS"
    # the steps are the journal's, in its order; times may be a moment apart
    node - "$run" <<'JS'
const { readFileSync } = require("fs");
const run = process.argv[2];
const apart = ["preconditions", "purge-intent"], ofRows = ["purge-outcome", "backup-again"];
const expected = new Map();
for (const line of readFileSync(run + "/journal.ndjson", "utf8").split("\n").filter(Boolean)) {
    const { step, utc } = JSON.parse(line);
    if (apart.includes(step)) continue;
    if (expected.has(step) && !ofRows.includes(step)) throw new Error("twice: " + step);
    const entry = expected.get(step) ?? { first: utc, times: 0 };
    expected.set(step, { ...entry, last: utc, times: entry.times + 1 });
}
const { steps } = JSON.parse(readFileSync(run + "/report.json"));
if (steps.length < 10 || steps.length !== expected.size) throw new Error("steps: " + JSON.stringify(steps));
const page = readFileSync(run + "/report.html", "utf8");
let at = page.indexOf("<h3>Timeline</h3>");
[...expected].forEach(([step, { first, last, times }], i) => {
    const told = steps[i];
    const near = (a, b) => Math.abs(new Date(a) - new Date(b)) < 1000;
    if (told.step !== step || told.times !== String(times) || !near(told.first, first) || !near(told.last, last))
        throw new Error(`${step}: ${JSON.stringify(told)}`);
    at = page.indexOf(`<code>${step}</code>`, at);
    if (at < 0) throw new Error("not in the timeline, or not in its place: " + step);
});
JS
    status_of "$DWCLEAN" show "$(basename "$run")" --verify --runs-dir "$runs"
    [ "$status" = 0 ]
    echo ' ' >>"$run/report.html"
    status_of "$DWCLEAN" show "$(basename "$run")" --verify --runs-dir "$runs"
    [ "$status" = 13 ]
    says report.html
}

@test "a dry run, a refusal, a row that stays, no connection, wrong use: each has its page" {
    status_of clean --dry-run --channels all --format html -o "$page"
    [ "$status" = 0 ]
    well_formed "$page"
    word "$page" | grep -q 'PLANNED$'
    status_of clean --format html -o "$page"
    [ "$status" = 4 ]
    well_formed "$page"
    word "$page" | grep -q 'REFUSED$'
    id=$(plan_id --channels all)
    fault '{"at":"dv.delete","times":1,"do":"other","text":"changed-name"}'
    status_of clean --channels all --maps-are-stopped --reason test --yes --plan-id "$id" --format html -o "$page"
    [ "$status" = 3 ]
    well_formed "$page"
    word "$page" | grep -q 'PARTIAL$'
    xmllint --nonet --xpath "string(//table[caption='Rows of Dataverse that did not leave'])" "$page" | grep -q 'changed'
    status_of verify_axdb -S localhost,1 --format html -o "$page"
    [ "$status" = 10 ]
    well_formed "$page"
    word "$page" | grep -q 'NO-ACCESS$'
    status_of verify --format html -S '' -o "$page"
    [ "$status" = 64 ]
    well_formed "$page"
    word "$page" | grep -q 'FAILED$'
}

@test "at a terminal the page is written all the same, and a notice names -o" {
    mapfile -t t < <(axdb_target)
    status_of script -qec "$(printf '%q ' "$DWCLEAN" verify --axdb-only "${t[@]}" --format html)" /dev/null
    [ "$status" = 2 ]
    says '-o FILE puts it into a file'
    says '</html>'
    status_of verify_axdb --format html
    says '</html>'
    refute says '-o FILE'
}

@test "every colour of the page has the contrast that WCAG AA asks for, light and dark" {
    status_of verify --format html -o "$page"
    node - "$page" <<'JS'
const style = require("fs").readFileSync(process.argv[2], "utf8").match(/<style>([^]*?)<\/style>/)[1];
const themes = [...style.matchAll(/:root\{([^}]*--bg[^}]*)\}/g)].map(([, rules]) =>
    Object.fromEntries([...rules.matchAll(/--([a-z]+):(#[0-9a-f]+)/g)].map(([, name, value]) => [name, value])));
if (themes.length !== 3) throw new Error("light, dark and paper are expected: " + themes.length);
const luminance = (hex) => {
    const full = hex.length === 4 ? hex.replace(/[0-9a-f]/g, "$&$&") : hex;
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(full.slice(i, i + 2), 16) / 255)
        .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
};
if (contrast("#000", "#fff") !== 21) throw new Error("the measure is wrong");
let least = 21;
for (const theme of themes)
    for (const ground of [theme.bg, theme.soft]) {
        for (const ink of ["fg", "dim", "good", "warn", "bad"]) {
            const ratio = contrast(theme[ink], ground);
            least = Math.min(least, ratio);
            if (ratio < 4.5) throw new Error(`${ink} ${theme[ink]} on ${ground}: ${ratio.toFixed(2)}`);
        }
        for (const bar of ["before", "after"])
            if (contrast(theme[bar], ground) < 3) throw new Error(`${bar} on ${ground}`);
    }
console.log(`least contrast of text: ${least.toFixed(2)}`);
JS
}
