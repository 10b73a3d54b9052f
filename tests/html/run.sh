#!/bin/sh
# run.sh: the HTML report as Chromium shows it. 77 = skipped: no Chromium here.
# Needs DWCLEAN, SANDBOX_BINARY, SOURCE_DIR. HTML_PICTURES=DIR keeps the pictures there, to be looked at.
set -eu
. "$SOURCE_DIR/tests/support/sandbox.sh"
browser=
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && browser=$name && break
done
[ -n "$browser" ] || {
    echo "skipped: Chromium is not installed (apt-get install chromium)" >&2
    exit 77
}
umask 077
work=$(mktemp -d "${TMPDIR:-/tmp}/dwclean-html.XXXXXX")
trap 'stop_sandbox; rm -rf "$work"' EXIT
pictures=${HTML_PICTURES:-$work}
mkdir -p "$pictures"
die() { echo "$*" >&2; exit 1; }

# ---- the pages
export NO_COLOR=1 LC_ALL=C DWCLEAN_PASSWORD='Sandbox-Passw0rd!'
start_sandbox "$work/sandbox" hostile
export DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
control() { curl --silent --show-error --fail-with-body "$@" >/dev/null; }

# page NAME STATUS COMMAND [option...]
page() {
    name=$1 wanted=$2 status=0
    shift 2
    "$DWCLEAN" "$@" -S "localhost,$SANDBOX_TDS_PORT" -d AxDB -U dwclean --cacert "$SANDBOX_CA" \
        --dataverse-url "$SANDBOX_DATAVERSE_URL" --tenant-id "$SANDBOX_TENANT" --client-id "$SANDBOX_CLIENT_ID" \
        --allow-host localhost --class sandbox --format html -o "$work/$name.html" \
        </dev/null 2>"$work/$name.err" || status=$?
    [ "$status" = "$wanted" ] || { cat "$work/$name.err" >&2; die "$name: status $status"; }
}
# change NAME STATUS: a dry run, then the change with its plan-id
change() {
    page dry 0 clean --dry-run --channels all
    id=$(sed -n 's/.*<dt>Plan id<\/dt><dd><code>\([0-9a-f]*\).*/\1/p' "$work/dry.html")
    page "$1" "$2" clean --channels all --maps-are-stopped --reason 'CHG0042' --yes --plan-id "$id" --runs-dir "$work/runs"
}
page residue 2 verify
page refused 4 clean --runs-dir "$work/runs"
control -X POST --data '{"at":"dv.delete","times":1,"do":"other","text":"changed-name"}' "$SANDBOX_CONTROL/faults"
change partial 3
control -X DELETE "$SANDBOX_CONTROL/faults"
control -X POST "$SANDBOX_CONTROL/reset"
change done 0

# ---- the browser
# show NAME [option...]: what it prints on stderr of the console is in NAME.log
show() {
    shown=$1
    shift
    HOME=$work timeout 60 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run \
        --disable-dev-shm-usage --user-data-dir="$work/profile" --enable-logging=stderr --v=0 "$@" "file://$work/$shown.html" \
        >"$work/$shown.out" 2>"$work/$shown.log" || { tail -n 5 "$work/$shown.log" >&2; die "the browser failed at $shown"; }
}
silent() {
    if grep -E 'CONSOLE|violates|net::' "$work/$1.log" >&2; then return 1; fi
}

# a page that loads and runs something must be noticed, or silence proves nothing
sed 's|<main>|<main><script>document.title = "ran"</script><img src="http://127.0.0.1:9/x.png" />|' "$work/residue.html" >"$work/loud.html"
show loud --dump-dom
silent loud 2>"$work/loud.found" && die "a page that breaks its policy was not noticed"
grep -q '<title>ran' "$work/loud.out" && die "the policy lets a script run"
grep -c . "$work/loud.found" | sed 's/^/complaints about a page that breaks its policy: /'

# look NAME LIGHT-WIDTH...: a picture of each
look() {
    name=$1
    shift
    for look; do
        settings=--blink-settings=preferredColorScheme=1
        [ "${look%-*}" = dark ] && settings=--blink-settings=preferredColorScheme=0
        show "$name" "$settings" --window-size="${look#*-}",2400 --screenshot="$pictures/$name-$look.png"
        silent "$name" || die "$name, $look: the console is not silent"
        echo "$name, $look: silent"
    done
}
look residue light-1200 dark-400
look done light-1200 dark-1200
look refused light-400
look partial light-400
cmp -s "$pictures/done-light-1200.png" "$pictures/done-dark-1200.png" && die "light and dark are the same"

# nothing is wider than a phone: measured by a script, in copies that have no policy
for name in residue partial; do
    sed -e '/Content-Security-Policy/d' -e 's|</style>|body{width:380px}</style>|' \
        -e 's|</body>|<script>document.title = "width " + document.body.scrollWidth</script></body>|' \
        "$work/$name.html" >"$work/measured.html"
    show measured --window-size=500,2400 --dump-dom
    width=$(sed -n 's/.*<title>width \([0-9]*\)<.*/\1/p' "$work/measured.out")
    [ "$width" = 380 ] || die "$name is wider than a phone: ${width:-not measured}"
done

# ---- on paper
for name in residue done; do
    show $name --no-pdf-header-footer --print-to-pdf="$pictures/$name.pdf"
    silent $name || die "$name: printing is not silent"
    [ "$(head -c 5 "$pictures/$name.pdf")" = %PDF- ] || die "$name: no PDF"
done
command -v pdftotext >/dev/null 2>&1 || { echo "pdftotext is not installed: the printed text is not read"; exit 0; }
pdftotext -layout "$pictures/done.pdf" "$work/done.txt"
for text in DONE CHG0042 'Rows before and after the change' 'dwclean show' 'It contains no row contents' 'COMMIT answered'; do
    grep -q "$text" "$work/done.txt" || die "not on paper: $text"
done
pdftotext -layout "$pictures/residue.pdf" "$work/residue.txt"
grep -q 'https://contoso-prod.crm4.dynamics.com' "$work/residue.txt" || die "a URL is cut on paper"
echo "on paper: the verdict, URLs, the timeline and the footer are whole"
