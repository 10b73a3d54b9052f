#!/bin/sh
# cap.sh SOURCE_DIR CACHE_DIR PROGRAM: run a program beside SAP CAP. CACHE_DIR keeps what npm installs. Its
# database is SQLite in WebAssembly, so that nothing is compiled. 77 = skipped: npm cannot install it here.
set -eu
source=$1/tests/interop/cap cache=$2 program=$3
skip() {
    echo "skipped: $1" >&2
    exit 77
}
command -v npm >/dev/null 2>&1 || skip "npm is not installed"
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || skip "@sap/cds wants Node.js 20"
mkdir -p "$cache"
if ! cmp -s "$source/package-lock.json" "$cache/installed"; then
    rm -rf "$cache"
    mkdir -p "$cache"
    cp "$source/package.json" "$source/package-lock.json" "$cache"
    (cd "$cache" && npm ci --ignore-scripts --no-audit --no-fund) >"$cache/npm.log" 2>&1 ||
        skip "npm cannot install @sap/cds: see $cache/npm.log"
    cp "$source/package-lock.json" "$cache/installed"
fi
cp "$source/service.cds" "$cache"
unset NODE_ENV
cd "$cache"
node node_modules/@sap/cds/bin/serve.js service.cds --in-memory --port 0 >server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
url=
for _ in $(seq 300); do
    url=$(sed -n "s/.*listening on { url: '\(http[^']*\)'.*/\1/p" server.log)
    [ -z "$url" ] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
if [ -z "$url" ]; then
    cat server.log >&2
    exit 1
fi
status=0
INTEROP_URL=$url/odata/v4/dataverse/ "$program" || status=$?
exit "$status"
