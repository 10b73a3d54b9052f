# Every way to sign in to Dataverse, as the operator asks for it: options, variables, what wins, and that nothing
# secret is shown.

load support

setup_file() { boot scenario-a --without-tds; }
teardown_file() { halt; }

setup() {
    use_sandbox
    fresh
    unset DWCLEAN_CLIENT_SECRET
    export DWCLEAN_TEST_IMDS=$SANDBOX_IDENTITY
    cd "$BATS_TEST_TMPDIR"
    umask 077
}

# look [option...]: verify without any client id; 2 = signed in, and rows were found.
look() {
    "$DWCLEAN" verify --dataverse-only --dataverse-url "$SANDBOX_DATAVERSE_URL" --allow-host localhost \
        --cacert "$SANDBOX_CA" "$@" </dev/null
}

# with_client [option...]: the same with the application's id.
with_client() { look --client-id "$SANDBOX_CLIENT_ID" "$@"; }

token() { control -X POST --data '{}' /dataverse/tokens | json token; }
federated() { control -X POST --data "${1:-{\}}" /dataverse/federated | json token; }

# keeps_quiet TEXT...: none of them stands in what status_of kept.
keeps_quiet() {
    local text
    for text in "$@"; do
        [ -n "$text" ]
        refute grep -qF -- "$text" "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr"
    done
}

# is_running PID: a process that has ended and that nobody has asked about does not count.
is_running() { grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null; }

@test "workload identity: the file of the variable, whatever its mode, read anew" {
    federated >federated
    chmod 644 federated
    AZURE_FEDERATED_TOKEN_FILE=$PWD/federated status_of with_client -v
    [ "$status" = 2 ]
    says "sign-in to Dataverse: workload identity (federated token file) (variable AZURE_FEDERATED_TOKEN_FILE)"
    keeps_quiet "$(cat federated)"
    federated '{"sub":"system:serviceaccount:other:other"}' >federated
    status_of with_client --federated-token-file federated
    [ "$status" = 12 ]
    says AADSTS700213
    says "subject"
    keeps_quiet "$(cat federated)"
    federated '{"exp":1700000000}' >federated
    status_of with_client --federated-token-file federated
    [ "$status" = 12 ]
    says "federated has expired at 2023-11-14T22:13:20"
    echo "no JWT" >federated
    status_of with_client --federated-token-file federated
    [ "$status" = 78 ]
    says "federated holds no federated token"
    status_of with_client --federated-token-file /dev/zero
    [ "$status" = 78 ]
    says "/dev/zero is not a regular file"
}

@test "managed identity: of the machine, and one with a client id; without a proxy" {
    http_proxy=http://127.0.0.1:1 status_of look --managed-identity -v
    [ "$status" = 2 ]
    says "managed identity (argv)"
    logged '"endpoint":"imds","result":"issued"'
    status_of with_client --managed-identity
    [ "$status" = 2 ]
    status_of look --managed-identity --client-id 00000000-0000-0000-0000-000000000001
    [ "$status" = 12 ]
    says "Is the identity with this client id assigned"
    control -X PATCH --data '{"identity_assigned":false}' /dataverse/settings
    status_of look --managed-identity
    [ "$status" = 12 ]
    says "A user-assigned one wants --client-id"
}

@test "managed identity: what IMDS is busy with is waited out" {
    for code in 404 410 500; do
        fault "{\"at\":\"dv.identity\",\"do\":\"error\",\"arg\":$code,\"times\":1}"
    done
    SECONDS=0
    status_of look --managed-identity
    echo "$SECONDS s" >&3
    [ "$status" = 2 ]
    fault '{"at":"dv.identity","do":"error","arg":400,"times":1}'
    status_of look --managed-identity
    [ "$status" = 12 ]
}

@test "App Service: its two variables mean the managed identity; the header goes to this machine only" {
    export IDENTITY_ENDPOINT=$SANDBOX_IDENTITY/msi/token IDENTITY_HEADER=$SANDBOX_IDENTITY_HEADER
    status_of look -v
    [ "$status" = 2 ]
    says "managed identity (variable IDENTITY_ENDPOINT)"
    logged '"endpoint":"app-service","result":"issued"'
    keeps_quiet "$SANDBOX_IDENTITY_HEADER"
    IDENTITY_HEADER=wrong status_of look
    [ "$status" = 12 ]
    for place in http://192.0.2.1/msi/token http://identity.invalid/msi/token https://localhost/msi/token \
        http://localhost@192.0.2.1/ http://127.0.0.1.example.com/; do
        IDENTITY_ENDPOINT=$place status_of look
        [ "$status" = 12 ]
        says "is not on this machine: its header was not sent"
    done
}

@test "a token command: its first line, its JSON, and its arguments as they were written" {
    token >token
    status_of look --token-command "cat token" -v
    [ "$status" = 2 ]
    says "sign-in to Dataverse: token command (argv)"
    keeps_quiet "$(cat token)"
    cat >az <<'SCRIPT'
#!/bin/sh
printf '%s|' "$@" >arguments
tr '\0' ' ' </proc/$$/cmdline >cmdline
env >environment
echo "looking it up" >&2
echo "secret eyJhbGciOi.e30.x" >&2
printf '{\n  "accessToken": "%s",\n  "expiresOn": "2026-01-01 00:00:00.000000",\n  "tokenType": "Bearer"\n}\n' "$(cat token)"
SCRIPT
    chmod +x az
    DWCLEAN_PASSWORD=Canary-Passw0rd status_of look --token-command "./az get --resource {resource} 'two words' \"a\\\"b\" \$HOME *" -v
    [ "$status" = 2 ]
    [ "$(cat arguments)" = "get|--resource|$SANDBOX_DATAVERSE_URL|two words|a\"b|\$HOME|*|" ]
    says "token command: looking it up"
    refute says "eyJhbGciOi.e30.x"
    keeps_quiet "$(cat token)"
    refute grep -qF "$(cat token)" cmdline
    refute grep -q Canary-Passw0rd environment
    status_of look --token-command "./az"
    refute says "looking it up"
}

@test "a token command that fails, hangs, says nothing or too much" {
    status_of look --token-command "sh -c 'echo nobody is logged in >&2; exit 3'" -v
    [ "$status" = 12 ]
    says "the token command sh failed with status 3"
    says "token command: nobody is logged in"
    status_of look --token-command "/nonexistent/az account"
    [ "$status" = 12 ]
    says "No such program"
    status_of look --token-command true
    [ "$status" = 12 ]
    says "wrote nothing"
    status_of look --token-command "yes eyJ"
    [ "$status" = 12 ]
    says "wrote more than"
    status_of look --token-command "sh -c 'kill -9 \$\$'"
    [ "$status" = 12 ]
    says "ended by signal 9"
    status_of look --token-command "az 'open"
    [ "$status" = 64 ]
    says "a quote"
    status_of look --token-command "echo '{}'"
    [ "$status" = 12 ]
    says "holds no accessToken"
}

@test "a stop signal ends a token command with its children" {
    cat >slow <<'SCRIPT'
#!/bin/sh
sleep 321 &
echo $! >child
wait
SCRIPT
    chmod +x slow
    "$DWCLEAN" verify --dataverse-only --dataverse-url "$SANDBOX_DATAVERSE_URL" --allow-host localhost \
        --cacert "$SANDBOX_CA" --token-command ./slow >stdout 2>stderr </dev/null 3>&- &
    dwclean=$!
    for _ in $(seq 100); do [ -s child ] && break; sleep 0.1; done
    kill -0 "$(cat child)"
    kill -TERM "$dwclean"
    status=0
    wait "$dwclean" || status=$?
    [ "$status" = 143 ]
    for _ in $(seq 40); do is_running "$(cat child)" || break; sleep 0.05; done
    refute is_running "$(cat child)"
}

@test "a token in a file of one's own, or in a variable" {
    token >token
    status_of look --token-file token -v
    [ "$status" = 2 ]
    says "token file (argv)"
    keeps_quiet "$(cat token)"
    DWCLEAN_TOKEN_FILE=$PWD/token status_of look
    [ "$status" = 2 ]
    DWCLEAN_TOKEN=$(cat token) status_of look -v
    [ "$status" = 2 ]
    says "token (variable DWCLEAN_TOKEN)"
    keeps_quiet "$(cat token)"
    chmod 640 token
    status_of look --token-file token
    [ "$status" = 78 ]
    says "others may use the secret file token"
    DWCLEAN_TOKEN="two words" status_of look
    [ "$status" = 12 ]
    says "is no token"
    control -X DELETE /dataverse/tokens
    DWCLEAN_TOKEN=$(cat token) status_of look
    [ "$status" = 12 ]
    keeps_quiet "$(cat token)"
}

@test "an expired token says when; one for another service is not sent" {
    jwt() { printf 'e30.%s.c2ln' "$(printf '%s' "$1" | base64 -w0 | tr -- +/ -_ | tr -d =)"; }
    DWCLEAN_TOKEN=$(jwt '{"exp":1700000000}') status_of look
    [ "$status" = 12 ]
    says "the token in DWCLEAN_TOKEN has expired at 2023-11-14T22:13:20"
    DWCLEAN_TOKEN=$(jwt '{"exp":4000000000,"aud":"https://management.azure.com/"}') status_of look
    [ "$status" = 12 ]
    says "is for management.azure.com, not for localhost: it was not sent"
    refute logged '"kind":"http"'
}

@test "a device code wants a terminal" {
    status_of with_client --device-code
    [ "$status" = 64 ]
    says "wants a terminal"
    refute logged oauth2
}

@test "a PFX file and an encrypted key, with the password of a variable" {
    openssl pkcs12 -export -inkey "$SANDBOX_CLIENT_KEY" -in "$SANDBOX_CLIENT_CERTIFICATE" -passout pass:Pfx-Passw0rd \
        -out client.pfx
    AZURE_CLIENT_CERTIFICATE_PATH=$PWD/client.pfx AZURE_CLIENT_CERTIFICATE_PASSWORD=Pfx-Passw0rd status_of with_client
    [ "$status" = 2 ]
    DWCLEAN_CLIENT_CERTIFICATE_PASSWORD=wrong status_of with_client --client-certificate client.pfx
    [ "$status" = 78 ]
    says "the password does not open"
    status_of with_client --client-certificate client.pfx
    [ "$status" = 78 ]
    says "has a password"
    openssl pkcs12 -export -inkey "$SANDBOX_CLIENT_KEY" -in "$SANDBOX_CLIENT_CERTIFICATE" -passout pass: -out open.pfx
    status_of with_client --client-certificate open.pfx
    [ "$status" = 2 ]
    openssl pkey -aes256 -in "$SANDBOX_CLIENT_KEY" -passout pass:Pem-Passw0rd >client.pem
    cat "$SANDBOX_CLIENT_CERTIFICATE" >>client.pem
    DWCLEAN_CLIENT_CERTIFICATE_PASSWORD=Pem-Passw0rd status_of with_client --client-certificate client.pem \
        --assertion rs256 --send-certificate-chain
    [ "$status" = 2 ]
    keeps_quiet Pem-Passw0rd
}

@test "an ini file names the certificate, and its password command names a secret" {
    cat "$SANDBOX_CLIENT_KEY" "$SANDBOX_CLIENT_CERTIFICATE" >client.pem
    cat >config.ini <<INI
[env "uat"]
class = sandbox
dataverse_url = $SANDBOX_DATAVERSE_URL
client_id = $SANDBOX_CLIENT_ID
client_certificate = $PWD/client.pem
allow_host = localhost
cacert = $SANDBOX_CA
INI
    status_of "$DWCLEAN" verify --dataverse-only --config config.ini --env uat -v </dev/null
    [ "$status" = 2 ]
    says 'client certificate ([env "uat"] in config.ini:5)'
    sed -i "s|^client_certificate.*|client_secret_command = printf '%s' '$SANDBOX_CLIENT_SECRET'|" config.ini
    status_of "$DWCLEAN" verify --dataverse-only --config config.ini --env uat -v </dev/null
    [ "$status" = 2 ]
    says 'client secret ([env "uat"] in config.ini:5)'
    keeps_quiet "$SANDBOX_CLIENT_SECRET"
}

@test "two ways of one source contradict each other; a stronger source decides" {
    status_of with_client --managed-identity --token-command true
    [ "$status" = 64 ]
    says "--managed-identity and --token-command exclude each other"
    DWCLEAN_TOKEN=t DWCLEAN_MANAGED_IDENTITY=yes status_of look
    [ "$status" = 78 ]
    says "variable DWCLEAN_MANAGED_IDENTITY and variable DWCLEAN_TOKEN exclude each other"
    DWCLEAN_TOKEN=t status_of look --managed-identity
    [ "$status" = 2 ]
    status_of look
    [ "$status" = 64 ]
    says "--client-id is missing"
    says "--managed-identity"
}

@test "of the variables of azure-identity the first one counts, and AZURE_TOKEN_CREDENTIALS chooses" {
    federated >federated
    export AZURE_CLIENT_ID=$SANDBOX_CLIENT_ID AZURE_FEDERATED_TOKEN_FILE=$PWD/federated AZURE_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
    status_of look -v
    [ "$status" = 2 ]
    says "client secret (variable AZURE_CLIENT_SECRET)"
    AZURE_TOKEN_CREDENTIALS=WorkloadIdentityCredential status_of look -v
    [ "$status" = 2 ]
    says "(variable AZURE_FEDERATED_TOKEN_FILE)"
    AZURE_TOKEN_CREDENTIALS=managedidentitycredential status_of look -v
    [ "$status" = 2 ]
    says "managed identity (variable AZURE_TOKEN_CREDENTIALS)"
    mkdir bin
    token >token
    printf '#!/bin/sh\necho "$@" >%s\ncat %s\n' "$PWD/arguments" "$PWD/token" >bin/az
    chmod +x bin/az
    PATH=$PWD/bin:$PATH AZURE_TOKEN_CREDENTIALS=dev status_of look -v
    [ "$status" = 2 ]
    says "token command (variable AZURE_TOKEN_CREDENTIALS)"
    [ "$(cat arguments)" = "account get-access-token --output json --resource $SANDBOX_DATAVERSE_URL" ]
    AZURE_TOKEN_CREDENTIALS=VisualStudioCredential status_of look
    [ "$status" = 78 ]
    says "VisualStudioCredential"
}

@test "check says how it signed in" {
    status_of "$DWCLEAN" check --dataverse-only --dataverse-url "$SANDBOX_DATAVERSE_URL" --allow-host localhost \
        --cacert "$SANDBOX_CA" --managed-identity --runs-dir "$PWD/runs" </dev/null
    says "sign-in to Dataverse: managed identity (argv)"
}

@test "a proxy of the variables is used for Dataverse and never for the identity endpoint" {
    cat >proxy.mjs <<'SCRIPT'
import http from 'node:http'
import net from 'node:net'
import { appendFileSync, writeFileSync } from 'node:fs'
const server = http.createServer((request, answer) => {
  appendFileSync('proxied', `PLAIN ${request.url}\n`)
  answer.writeHead(502).end()
})
server.on('connect', (request, client, head) => {
  appendFileSync('proxied', `CONNECT ${request.url}\n`)
  const [host, port] = request.url.split(':')
  const there = net.connect(port, host === 'localhost' ? '127.0.0.1' : host, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    there.write(head)
    there.pipe(client).pipe(there)
  })
  there.on('error', () => client.destroy())
  client.on('error', () => there.destroy())
})
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)))
SCRIPT
    node proxy.mjs 3>&- &
    proxy=$!
    for _ in $(seq 100); do [ -s port ] && break; sleep 0.05; done
    HTTPS_PROXY=http://127.0.0.1:$(cat port) http_proxy=http://127.0.0.1:$(cat port) status_of look --managed-identity
    kill "$proxy"
    [ "$status" = 2 ]
    grep -qxF "CONNECT ${SANDBOX_DATAVERSE_URL#https://}" proxied
    refute grep -q PLAIN proxied
    refute grep -qF "${SANDBOX_IDENTITY#http://}" proxied
    logged '"endpoint":"imds","result":"issued"'
}

# at_terminal [option...]: the same as `look`, in a terminal of its own; what it shows goes to ./typescript.
at_terminal() {
    script -qec "'$DWCLEAN' verify --dataverse-only --dataverse-url '$SANDBOX_DATAVERSE_URL' --allow-host localhost \
        --cacert '$SANDBOX_CA' --client-id '$SANDBOX_CLIENT_ID' --color never $*" /dev/null >typescript 3>&-
}

@test "a device code is shown at the terminal, and the run goes on when it was entered" {
    at_terminal --device-code </dev/null &
    running=$!
    for _ in $(seq 100); do grep -qs SANDBOX01 typescript && break; sleep 0.1; done
    grep -q "devicelogin and enter the code SANDBOX01" <(tr -s '\r\n ' ' ' <typescript)
    control -X POST '/dataverse/device?approve'
    status=0
    wait "$running" || status=$?
    cat typescript
    [ "$status" = 2 ]
}

# below PROCESS NAME: sets `found` to the process of that name below `script` and whatever shells it runs.
below() {
    local child
    for child in $(ps -o pid= --ppid "$1"); do
        if [ "$(cat "/proc/$child/comm")" = "$2" ]; then found=$child; else below "$child" "$2"; fi
    done
}

@test "a stop signal ends the wait for a device code" {
    at_terminal --device-code </dev/null &
    running=$!
    for _ in $(seq 100); do grep -qs SANDBOX01 typescript && break; sleep 0.1; done
    below "$running" dwclean
    kill -INT "$found"
    status=0
    wait "$running" || status=$?
    cat typescript
    [ "$status" = 130 ]
}

@test "the password of a PFX file is asked for at the terminal, and not shown" {
    openssl pkcs12 -export -inkey "$SANDBOX_CLIENT_KEY" -in "$SANDBOX_CLIENT_CERTIFICATE" -passout pass:Pfx-Passw0rd \
        -out client.pfx
    status=0
    { sleep 2; echo Pfx-Passw0rd; sleep 4; } | at_terminal --client-certificate client.pfx || status=$?
    cat typescript
    [ "$status" = 2 ]
    grep -q "Password of client.pfx:" typescript
    refute grep -q Pfx-Passw0rd typescript
}
