#!/bin/sh
# assertion.sh SOURCE_DIR CACHE_DIR PROGRAM: have npm's jose judge a client assertion. CACHE_DIR keeps what npm
# installs. 77 = skipped: npm cannot install it here.
set -eu
source=$1/tests/interop/jose cache=$2 program=$3
skip() {
    echo "skipped: $1" >&2
    exit 77
}
command -v npm >/dev/null 2>&1 || skip "npm is not installed"
command -v openssl >/dev/null 2>&1 || skip "the openssl program is not installed"
mkdir -p "$cache"
if ! cmp -s "$source/package-lock.json" "$cache/installed"; then
    rm -rf "$cache"
    mkdir -p "$cache"
    cp "$source/package.json" "$source/package-lock.json" "$cache"
    (cd "$cache" && npm ci --ignore-scripts --no-audit --no-fund) >"$cache/npm.log" 2>&1 ||
        skip "npm cannot install jose: see $cache/npm.log"
    cp "$source/package-lock.json" "$cache/installed"
fi
cp "$source/check.mjs" "$cache"
umask 077
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dwclean-interop.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
for name in own other; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=dwclean $name" \
        -keyout "$scratch/$name.key" -out "$scratch/$name.crt" 2>"$scratch/openssl.log" ||
        { cat "$scratch/openssl.log" >&2; exit 1; }
done
cat "$scratch/own.key" "$scratch/own.crt" >"$scratch/client.pem"
client=11112222-3333-4444-5555-666677778888
audience=https://login.microsoftonline.com/TENANT/oauth2/v2.0/token
assertion=$("$program" "$scratch/client.pem" "$client" "$audience")
# What openssl says of the signature, too.
printf %s "${assertion%.*}" >"$scratch/signed"
signature=$(printf %s "${assertion##*.}" | tr -- -_ +/)
while [ $((${#signature} % 4)) != 0 ]; do signature=$signature=; done
printf %s "$signature" | openssl base64 -d -A >"$scratch/signature"
openssl x509 -in "$scratch/own.crt" -pubkey -noout >"$scratch/own.pub"
openssl dgst -sha256 -verify "$scratch/own.pub" -signature "$scratch/signature" -sigopt rsa_padding_mode:pss \
    -sigopt rsa_pss_saltlen:32 "$scratch/signed"
cd "$cache"
node check.mjs "$assertion" "$scratch/own.crt" "$scratch/other.crt" "$client" "$audience"
