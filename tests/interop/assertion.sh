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
# A chain: the root, who it trusts, and the leaf of our own key.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=dwclean root" -keyout "$scratch/root.key" \
    -out "$scratch/root.crt" 2>"$scratch/openssl.log"
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n' >"$scratch/ca.ext"
for pair in "middle root" "leaf middle"; do
    name=${pair% *} issuer=${pair#* }
    set --
    [ "$name" = leaf ] || set -- -extfile "$scratch/ca.ext"
    openssl req -new -newkey rsa:2048 -nodes -subj "/CN=dwclean $name" -keyout "$scratch/$name.key" \
        -out "$scratch/$name.csr" 2>"$scratch/openssl.log"
    openssl x509 -req -days 2 -in "$scratch/$name.csr" -CA "$scratch/$issuer.crt" -CAkey "$scratch/$issuer.key" \
        -CAcreateserial -out "$scratch/$name.crt" "$@" 2>"$scratch/openssl.log"
done
cat "$scratch/own.key" "$scratch/own.crt" >"$scratch/client.pem"
client=11112222-3333-4444-5555-666677778888
audience=https://login.microsoftonline.com/TENANT/oauth2/v2.0/token

# judge ALGORITHM CERTIFICATE CHAIN FILE [word...]: CHAIN is a file of certificates, leaf first, or "".
judge() {
    algorithm=$1 certificate=$2 chain=$3 file=$4
    shift 4
    assertion=$("$program" "$file" "$client" "$audience" "$@")
    (cd "$cache" && node check.mjs "$assertion" "$certificate" "$scratch/other.crt" "$client" "$audience" \
        "$algorithm" "$chain")
}

judge PS256 "$scratch/own.crt" "" "$scratch/client.pem"
# What openssl says of the signature, too.
assertion=$("$program" "$scratch/client.pem" "$client" "$audience")
printf %s "${assertion%.*}" >"$scratch/signed"
signature=$(printf %s "${assertion##*.}" | tr -- -_ +/)
while [ $((${#signature} % 4)) != 0 ]; do signature=$signature=; done
printf %s "$signature" | openssl base64 -d -A >"$scratch/signature"
openssl x509 -in "$scratch/own.crt" -pubkey -noout >"$scratch/own.pub"
openssl dgst -sha256 -verify "$scratch/own.pub" -signature "$scratch/signature" -sigopt rsa_padding_mode:pss \
    -sigopt rsa_pss_saltlen:32 "$scratch/signed"

judge RS256 "$scratch/own.crt" "" "$scratch/client.pem" rs256
# The same out of PFX files, with a password and with none, and of an encrypted key.
export PASSWORD=interop-password
openssl pkcs12 -export -inkey "$scratch/own.key" -in "$scratch/own.crt" -passout env:PASSWORD -out "$scratch/own.pfx"
judge PS256 "$scratch/own.crt" "" "$scratch/own.pfx"
judge RS256 "$scratch/own.crt" "" "$scratch/own.pfx" rs256
openssl pkey -aes256 -in "$scratch/own.key" -passout env:PASSWORD >"$scratch/secret.pem"
cat "$scratch/own.crt" >>"$scratch/secret.pem"
judge PS256 "$scratch/own.crt" "" "$scratch/secret.pem"
# A chain goes leaf first, however the file has it.
cat "$scratch/leaf.crt" "$scratch/middle.crt" "$scratch/root.crt" >"$scratch/chain.crt"
cat "$scratch/root.crt" "$scratch/leaf.key" "$scratch/middle.crt" "$scratch/leaf.crt" >"$scratch/mixed.pem"
openssl pkcs12 -export -inkey "$scratch/leaf.key" -in "$scratch/leaf.crt" -certfile "$scratch/chain.crt" \
    -passout env:PASSWORD -out "$scratch/chain.pfx"
judge PS256 "$scratch/leaf.crt" "$scratch/chain.crt" "$scratch/chain.pfx" chain
unset PASSWORD
judge PS256 "$scratch/leaf.crt" "$scratch/chain.crt" "$scratch/mixed.pem" chain
judge RS256 "$scratch/leaf.crt" "$scratch/chain.crt" "$scratch/mixed.pem" rs256 chain
openssl pkcs12 -export -inkey "$scratch/own.key" -in "$scratch/own.crt" -passout pass: -out "$scratch/open.pfx"
judge PS256 "$scratch/own.crt" "$scratch/own.crt" "$scratch/open.pfx" chain
