#!/usr/bin/env bats
# Where a token and a client secret go: to the host that is named and to its authority, and nowhere else, whatever an answer
# says. A front with a good certificate stands before the sandbox and answers as it is told; what it points to is another
# listener, which counts who comes.

setup_file() {
    load support
    boot scenario-a --without-tds
    . "$SANDBOX_ENV"
    cd "$BATS_FILE_TMPDIR"
    cat >front.mjs <<'SCRIPT'
import { createServer } from 'node:https'
import { createServer as createPlain } from 'node:http'
import { createServer as createTcp } from 'node:net'
import { request as ask } from 'node:https'
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
const [pki, target] = process.argv.slice(2)
const tls = { cert: readFileSync(`${pki}/good.pem`), key: readFileSync(`${pki}/good.key`) }
const elsewhere = createServer(tls, (request, answer) => {
  appendFileSync('elsewhere', `${request.method} ${request.url} ${request.headers.authorization ?? '-'}\n`)
  answer.writeHead(200, { 'content-type': 'application/json' }).end('{"value":[]}')
})
elsewhere.on('connection', () => appendFileSync('elsewhere', 'TCP\n'))
const plain = createPlain((request, answer) => answer.end())
plain.on('connection', () => appendFileSync('elsewhere', 'TCP\n'))
const front = createServer(tls, (request, answer) => {
  const rule = existsSync('rule') ? JSON.parse(readFileSync('rule', 'utf8')) : null
  const here = `localhost:${front.address().port}`
  const say = (status, headers, body) => answer.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  appendFileSync('asked', `${request.method} ${request.url}\n`)
  if (rule?.redirect && request.url.includes(rule.match)) {
    request.resume()
    return say(rule.redirect, { location: rule.to + (rule.keep ? request.url : '') }, '{}')
  }
  if (rule?.challenge && !request.headers.authorization)
    return say(401, { 'www-authenticate': `Bearer authorization_uri=${rule.challenge}, resource_id=${rule.resource ?? `https://${here}`}` }, '{}')
  const other = ask(new URL(request.url, target), {
    method: request.method,
    ca: readFileSync(`${pki}/ca.pem`),
    headers: { ...request.headers, host: new URL(target).host, 'accept-encoding': 'identity' },
  }, (from) => {
    const parts = []
    from.on('data', (part) => parts.push(part))
    from.on('end', () => {
      let body = Buffer.concat(parts).toString('utf8').replaceAll(new URL(target).host, here)
      if (rule?.next && request.url.includes(rule.match)) {
        const list = JSON.parse(body)
        list['@odata.nextLink'] = rule.next
        body = JSON.stringify(list)
      }
      const headers = { ...from.headers }
      delete headers['content-length']
      delete headers['transfer-encoding']
      answer.writeHead(from.statusCode, headers).end(body)
    })
  })
  request.pipe(other)
})
front.listen(0, '127.0.0.1', () => elsewhere.listen(0, '127.0.0.1', () => plain.listen(0, '127.0.0.1', () => {
  writeFileSync('ports.new', `FRONT=${front.address().port}\nELSEWHERE=${elsewhere.address().port}\nPLAIN=${plain.address().port}\n`)
  renameSync('ports.new', 'ports')
})))
SCRIPT
    node front.mjs "${SANDBOX_CA%/*}" "$SANDBOX_DATAVERSE_URL" >front.out 2>&1 3>&- &
    echo $! >front.pid
    for _ in $(seq 200); do [ -f ports ] && return 0; sleep 0.05; done
    cat front.out >&2
    return 1
}

teardown_file() {
    load support
    kill "$(cat "$BATS_FILE_TMPDIR/front.pid")" || true
    halt
}

setup() {
    load support
    use_sandbox
    fresh
    . "$BATS_FILE_TMPDIR/ports"
    cd "$BATS_FILE_TMPDIR"
    rm -f rule elsewhere asked
    control -X PATCH --data "{\"host\":\"localhost:$FRONT\"}" /dataverse/settings >/dev/null
    cells=0
}

# through COMMAND [option...]: Dataverse by the front.
through() {
    "$DWCLEAN" "$1" --dataverse-only --class sandbox --dataverse-url "https://localhost:$FRONT" --authority "$SANDBOX_AUTHORITY" \
        --tenant-id "$SANDBOX_TENANT" --client-id "$SANDBOX_CLIENT_ID" --allow-host localhost --cacert "$SANDBOX_CA" "${@:2}" </dev/null
}
look() { through verify "$@"; }

# stays NAME STATUS RULE COMMAND...: with that rule the command ends with the status, and nobody came to the other listener.
stays() {
    rm -f asked
    echo "$3" >rule
    status_of "${@:4}"
    echo "# $1: $status" >&3
    [ -s asked ]
    [ ! -e elsewhere ]
    [[ " $2 " == *" $status "* ]]
    cells=$((cells + 1))
}

@test "the front and the other listener work: a client that follows comes there" {
    status_of look
    [ "$status" = 2 ]
    says 17
    echo "{\"redirect\":302,\"match\":\"/\",\"to\":\"https://localhost:$ELSEWHERE/\"}" >rule
    curl --silent --location --cacert "$SANDBOX_CA" -o /dev/null "https://localhost:$FRONT/api/data/v9.2/WhoAmI"
    grep -q '^GET / ' elsewhere
    rm elsewhere
    curl --silent -o /dev/null "http://localhost:$PLAIN/"
    [ -s elsewhere ]
}

@test "a redirect is not followed: of the first request, of a list, of the token endpoint, to http, to the same host" {
    for code in 301 302 303 307 308; do
        stays "redirect $code of WhoAmI" 14 "{\"redirect\":$code,\"match\":\"WhoAmI\",\"to\":\"https://localhost:$ELSEWHERE\",\"keep\":true}" look
    done
    stays "redirect of the rows" 14 "{\"redirect\":307,\"match\":\"msdyn_dualwriteruntimeconfigs\",\"to\":\"https://localhost:$ELSEWHERE\",\"keep\":true}" look
    stays "redirect to http" 14 "{\"redirect\":302,\"match\":\"WhoAmI\",\"to\":\"http://localhost:$PLAIN\",\"keep\":true}" look
    stays "redirect to a file" 14 "{\"redirect\":302,\"match\":\"WhoAmI\",\"to\":\"file:///etc/passwd\"}" look
    stays "redirect to itself" 14 "{\"redirect\":302,\"match\":\"WhoAmI\",\"to\":\"https://localhost:$FRONT\",\"keep\":true}" look
    # the client secret is in the body of that request
    for code in 302 307 308; do
        stays "redirect $code of the token endpoint" "12 14" "{\"redirect\":$code,\"match\":\"/oauth2/\",\"to\":\"https://localhost:$ELSEWHERE\",\"keep\":true}" \
            look --authority "https://localhost:$FRONT"
    done
    [ "$cells" = 12 ]
    refute grep -q oauth2 <(control /log | grep '"kind":"token"')
}

@test "a link to a next page that leads away is not followed, and no list of it is believed" {
    local path=/api/data/v9.2/msdyn_dualwriteruntimeconfigs
    # another port, host, scheme, user part, path; a name that begins like the right one
    for link in "https://localhost:$ELSEWHERE$path?\$skiptoken=1" "https://127.0.0.1:$ELSEWHERE$path" "http://localhost:$PLAIN$path" \
        "http://localhost:$FRONT$path" "https://localhost:$FRONT@localhost:$ELSEWHERE$path" "//localhost:$ELSEWHERE$path" \
        "https://localhost.example.com:$ELSEWHERE$path" "file:///etc/passwd" "gopher://localhost:$PLAIN/" \
        "https://localhost:$FRONT\\\\@localhost:$ELSEWHERE$path"; do
        stays "next page ${link%%msdyn*}" 14 "{\"match\":\"msdyn_dualwriteruntimeconfigs\",\"next\":\"$link\"}" look
    done
    refute grep -q 'skiptoken=1' asked
    # a change is refused as well, before anything goes
    before=$(control /dataverse/rows)
    stays "next page, clean" 14 "{\"match\":\"msdyn_dualwriteruntimeconfigs\",\"next\":\"https://localhost:$ELSEWHERE$path\"}" \
        through clean --dry-run
    [ "$(control /dataverse/rows)" = "$before" ]
    [ "$cells" = 11 ]
}

@test "an authority that the service names is asked for a token only if it is listed" {
    discover() {
        "$DWCLEAN" verify --dataverse-only --dataverse-url "https://localhost:$FRONT" --client-id "$SANDBOX_CLIENT_ID" \
            --cacert "$SANDBOX_CA" "$@" </dev/null
    }
    stays "authority of another host" 12 "{\"challenge\":\"https://127.0.0.1:$ELSEWHERE/common/oauth2/authorize\"}" discover --allow-host localhost
    says 127.0.0.1
    stays "authority over http" 12 "{\"challenge\":\"http://localhost:$PLAIN/common/oauth2/authorize\"}" discover --allow-host localhost
    stays "authority with a user part" 12 "{\"challenge\":\"https://login.microsoftonline.com@127.0.0.1:$ELSEWHERE/x/oauth2/authorize\"}" \
        discover --allow-host localhost
    refute logged '"kind":"token"'
    # and the one that is listed is asked
    rm -f asked
    echo "{\"challenge\":\"$SANDBOX_AUTHORITY/$SANDBOX_TENANT/oauth2/authorize\"}" >rule
    status_of discover --allow-host localhost
    [ "$status" = 2 ]
    logged '"kind":"token"'
}

@test "a host that is not Dataverse's and not listed gets nothing at all, not even a connection" {
    for url in "https://localhost:$ELSEWHERE" "https://127.0.0.1:$ELSEWHERE" "https://org.crm4.dynamics.com.example.com" \
        "https://org.crm4.dynamics.com@localhost:$ELSEWHERE" "https://[::1]:$ELSEWHERE" "http://localhost:$PLAIN"; do
        status_of "$DWCLEAN" verify --dataverse-only --dataverse-url "$url" --authority "$SANDBOX_AUTHORITY" --tenant-id "$SANDBOX_TENANT" \
            --client-id "$SANDBOX_CLIENT_ID" --cacert "$SANDBOX_CA" </dev/null
        echo "# $url: $status" >&3
        [ "$status" = 64 ] || [ "$status" = 12 ] || [ "$status" = 4 ]
    done
    # a name beside it in the list opens nothing
    status_of "$DWCLEAN" verify --dataverse-only --dataverse-url "https://127.0.0.1:$ELSEWHERE" --authority "$SANDBOX_AUTHORITY" \
        --tenant-id "$SANDBOX_TENANT" --client-id "$SANDBOX_CLIENT_ID" --allow-host localhost --cacert "$SANDBOX_CA" </dev/null
    [ "$status" != 2 ]
    [ ! -e elsewhere ]
    refute logged '"kind":"token"'
}
