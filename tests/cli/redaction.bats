#!/usr/bin/env bats
# What is told at the highest level, over HTTP/1.1 and HTTP/2: no secret, no row. nginx stands in front of the sandbox,
# because the sandbox does not speak HTTP/2; a proxy with a password stands in front of nginx.

setup_file() {
    load support
    boot small
    . "$SANDBOX_ENV"
    cd "$BATS_FILE_TMPDIR"
    cat >proxy.js <<'SCRIPT'
        const net = require('net');
        const fs = require('fs');
        const free = net.createServer().listen(0, '127.0.0.1', () => {
            const nginx = free.address().port;
            free.close();
            const proxy = require('http').createServer();
            proxy.on('connect', (request, socket, head) => {
                fs.appendFileSync('proxied', `${request.headers['proxy-authorization']}\n`);
                const [host, port] = request.url.split(':');
                const other = net.connect(port, host, () => {
                    socket.write('HTTP/1.1 200 established\r\nX-Odd: Canary-Header-5\r\n\r\n');
                    other.write(head);
                    other.pipe(socket).pipe(other);
                });
                for (const end of [socket, other]) end.on('error', () => { socket.destroy(); other.destroy(); });
            });
            proxy.listen(0, '127.0.0.1', () => {
                fs.writeFileSync('ports.new', `NGINX_PORT=${nginx}\nPROXY_PORT=${proxy.address().port}\n`);
                fs.renameSync('ports.new', 'ports');
            });
        });
SCRIPT
    node proxy.js >proxy.out 2>&1 3>&- &
    echo $! >>processes
    for _ in $(seq 200); do [ -f ports ] && break; sleep 0.05; done
    . ./ports
    cat >nginx.conf <<CONF
daemon off;
master_process off;
pid nginx.pid;
error_log nginx.err;
events {}
http {
    log_format token '\$server_protocol \$http_authorization';
    access_log tokens token;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    server {
        listen 127.0.0.1:$NGINX_PORT ssl http2;
        ssl_certificate $BATS_FILE_TMPDIR/sandbox/pki/good.pem;
        ssl_certificate_key $BATS_FILE_TMPDIR/sandbox/pki/good.key;
        location / {
            proxy_pass $SANDBOX_DATAVERSE_URL;
            add_header Set-Cookie "session=Canary-Cookie-3" always;
            add_header Location "https://localhost/?code=Canary-Location-4" always;
            add_header X-Odd "Canary-Header-5 \$http_authorization" always;
            add_header X-IDENTITY-HEADER "Canary-Identity-6" always;
            add_header Server "front \x1b[2Jcleared" always;
        }
    }
}
CONF
    nginx -p "$BATS_FILE_TMPDIR" -c nginx.conf -e nginx.err >nginx.out 2>&1 3>&- &
    echo $! >>processes
    for _ in $(seq 200); do
        curl -so /dev/null --noproxy '*' --cacert "$SANDBOX_CA" "https://localhost:$NGINX_PORT/" && return 0
        sleep 0.05
    done
    cat nginx.out nginx.err >&2
    return 1
}

teardown_file() {
    load support
    while read -r process; do kill "$process" 2>/dev/null || true; done <"$BATS_FILE_TMPDIR/processes"
    halt
}

setup() {
    load support
    use_sandbox
    fresh
    . "$BATS_FILE_TMPDIR/ports"
    cd "$BATS_TEST_TMPDIR"
    rm -f "$BATS_FILE_TMPDIR/proxied"
    : >"$BATS_FILE_TMPDIR/tokens"
}

# seed_canaries: secrets in rows of both halves.
seed_canaries() {
    sql "UPDATE dbo.DUALWRITEPROJECTFIELDCONFIGURATION SET FIELDMAP = N'Canary-Row-1'" >/dev/null
    local id
    for id in $(control /dataverse/rows | node -e \
        'for (const row of JSON.parse(require("fs").readFileSync(0))) console.log(row.id)'); do
        control -X PATCH --data '{"msdyn_unsecure":"{\"secret\":\"Canary-Row-2\"}"}' "/dataverse/rows?id=$id" >/dev/null
    done
}

# front [option...]: through the proxy and nginx, at the highest level. all_half COMMAND: both halves.
front() {
    mapfile -t t < <(axdb_target)
    HTTPS_PROXY="http://operator:Canary-Proxy-7@localhost:$PROXY_PORT" NO_PROXY='' \
        "$DWCLEAN" "$@" --class sandbox --runs-dir "$runs" "${t[@]}" --dataverse-url "https://localhost:$NGINX_PORT" \
        --authority "https://localhost:$NGINX_PORT" --tenant-id "$SANDBOX_TENANT" --client-id "$SANDBOX_CLIENT_ID" \
        --allow-host localhost -vv </dev/null
}

# the_life_of_a_run [option...]: clean, and undo of it; all that is told lies in `told`.
the_life_of_a_run() {
    local id
    id=$(front clean --dry-run --format json "$@" 2>>told | tee -a told | json plan_id)
    front clean --maps-are-stopped --reason test --yes --plan-id "$id" "$@" >>told 2>&1
    run_name=$(ls "$runs" | grep -v locks)
    id=$(front undo "$run_name" --dry-run --format json "$@" 2>>told | tee -a told | json plan_id)
    front undo "$run_name" --maps-are-stopped --reason test --yes --plan-id "$id" "$@" >>told 2>&1
}

# nothing_leaked: none of the secrets, in whatever was told or is kept, but for the backup.
nothing_leaked() {
    local secret token
    cut -d' ' -f3 "$BATS_FILE_TMPDIR/tokens" | sort -u | grep . >tokens
    [ -s tokens ]
    printf 'operator:Canary-Proxy-7' | base64 >>tokens
    printf '%s\n' "$DWCLEAN_PASSWORD" "$SANDBOX_CLIENT_SECRET" Canary- >>tokens
    printf '%s' "$SANDBOX_CLIENT_SECRET" | sed 's/~/%7E/g' >>tokens
    mkdir kept
    cp -r "$runs" kept/runs
    find kept/runs -name '*.zst' -delete
    echo "searched: $(wc -l <tokens) secrets in $(wc -l <told) lines and $(find kept -type f | wc -l) files"
    if grep -rnFo -f tokens told kept >leaks; then
        sort -u leaks | head -n 20 >&2
        return 1
    fi
}

@test "over HTTP/2, through a proxy: headers and batches are told, no secret is" {
    seed_canaries
    control -X PATCH --data "{\"host\":\"localhost:$NGINX_PORT\"}" /dataverse/settings >/dev/null
    the_life_of_a_run
    grep -q '^HTTP/2.0 Bearer .' "$BATS_FILE_TMPDIR/tokens"
    grep -q 'Basic ' "$BATS_FILE_TMPDIR/proxied"
    grep -q '< HTTP/2 204' told || grep -q '< HTTP/2 200' told
    grep -qi '> authorization: (not shown)' told
    grep -qi '> proxy-authorization: (not shown)' told
    grep -qi '< set-cookie: (not shown)' told
    grep -q 'axdb batch delete_all: done' told
    grep -qE 'http [0-9a-f]{8} POST localhost:[0-9]+/api/data/v9.2/\$batch: 200, .* request id' told
    refute grep -q $'\x1b' told
    nothing_leaked
}

@test "over HTTP/1.1 the same" {
    seed_canaries
    control -X PATCH --data "{\"host\":\"localhost:$NGINX_PORT\"}" /dataverse/settings >/dev/null
    the_life_of_a_run --http1.1
    grep -q '^HTTP/1.1 Bearer .' "$BATS_FILE_TMPDIR/tokens"
    refute grep -q '^HTTP/2' "$BATS_FILE_TMPDIR/tokens"
    grep -qi '> authorization: (not shown)' told
    nothing_leaked
}

@test "a proxy's URL that cannot be used is not repeated: it holds a password" {
    for url in 'odd://operator:Canary-Proxy-7@localhost:1' 'http://oper ator:Canary-Proxy-7@localhost:1' \
        'http://operator:Canary-Proxy-7@[::1:1'; do
        mapfile -t t < <(dataverse_target)
        status=0
        HTTPS_PROXY=$url NO_PROXY='' "$DWCLEAN" verify --dataverse-only "${t[@]}" -vv >told 2>&1 </dev/null || status=$?
        [ "$status" = 10 ]
        grep -q proxy told
        refute grep -q Canary- told
    done
}

@test "one -v tells each request in one line, and nothing of its headers" {
    status_of verify -v
    grep -qE '^dwclean: http [0-9a-f]{8} GET localhost:[0-9]+/api/data/v9.2/WhoAmI: 200, [0-9]+ ms' "$BATS_TEST_TMPDIR/stderr"
    grep -qE '^dwclean: axdb batch ask: done, [0-9]+ rows, [0-9]+ ms' "$BATS_TEST_TMPDIR/stderr"
    refute grep -qE '^dwclean: http [0-9a-f]{8} [<>*]' "$BATS_TEST_TMPDIR/stderr"
    status_of verify --trace
    grep -qE '^dwclean: http [0-9a-f]{8} < HTTP/1.1 200' "$BATS_TEST_TMPDIR/stderr"
    status_of verify
    refute grep -q ' batch ' "$BATS_TEST_TMPDIR/stderr"
}

@test "what AxDB says is told by its number, without its text" {
    fault '{"at":"tds.request","match":"DUALWRITE","do":"error","arg":245,"text":"Conversion failed when converting Canary-Value"}'
    verify_axdb -vv --format json >/dev/null 2>told || true
    grep -q 'axdb batch .*: failed.*server message 245, severity' told
    refute grep -q 'axdb batch .*Canary-Value' told
}
