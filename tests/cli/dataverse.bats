#!/usr/bin/env bats
# Whatever the Dataverse half can answer is named, with the documented status.

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

settings() { control -X PATCH --data "$1" /dataverse/settings; }

other() {
    start_sandbox "$BATS_TEST_TMPDIR/other" "$@"
    other_pid=$sandbox_pid
}

teardown() {
    [ -z "${other_pid:-}" ] || kill "$other_pid"
}

@test "verify of the Dataverse half alone" {
    status_of verify_dataverse
    [ "$status" = 2 ]
    says 17
}

@test "clean of the Dataverse half alone leaves AxDB untouched" {
    mapfile -t t < <(dataverse_target)
    half() { "$DWCLEAN" clean --dataverse-only --class sandbox --runs-dir "$runs" "${t[@]}" "$@" </dev/null; }
    id=$(half --dry-run --format json | json plan_id)
    status_of half --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "34 34 958 0" ]
}

@test "a wrong client secret is named with its code" {
    DWCLEAN_CLIENT_SECRET=wrong-secret status_of verify_dataverse
    [ "$status" = 12 ]
    says AADSTS7000215
    refute grep -q wrong-secret "$BATS_TEST_TMPDIR/stderr" "$BATS_TEST_TMPDIR/stdout"
}

@test "a certificate signs in instead of the secret, and is not asked for one" {
    certificate=$BATS_TEST_TMPDIR/client.pem
    (umask 077 && cat "$SANDBOX_CLIENT_KEY" "$SANDBOX_CLIENT_CERTIFICATE" >"$certificate")
    unset DWCLEAN_CLIENT_SECRET
    status_of verify_dataverse --client-certificate "$certificate"
    [ "$status" = 2 ]
    says 17
    AZURE_CLIENT_CERTIFICATE_PATH=$certificate status_of verify_dataverse
    [ "$status" = 2 ]
    DWCLEAN_CLIENT_CERTIFICATE=$certificate DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET status_of verify_dataverse
    says "exclude each other"
    chmod 640 "$certificate"
    status_of verify_dataverse --client-certificate "$certificate"
    says "chmod 600"
}

@test "an application user that is not there" {
    fault '{"at":"dv.request","match":"/api/data/","times":0,"do":"error","arg":403,"text":"0x80072560"}'
    status_of verify_dataverse
    [ "$status" = 12 ]
    says "application user"
}

@test "a missing privilege is named before anything changes" {
    settings '{"may_delete":false}'
    status_of clean --dry-run
    [ "$status" = 12 ]
    says prvDelete
    [ "$(rows_left)" = "34 34 958 17" ]
}

@test "a table without row versions: refused, and by --allow-no-etag each row is compared before it goes" {
    for lack in '{"optimistic_concurrency":false}' '{"etags":false}' '{"optimistic_concurrency":false,"etags":false}'; do
        fresh
        settings "$lack"
        status_of clean --dry-run
        [ "$status" = 14 ]
        says --allow-no-etag
        status_of clean --dry-run --allow-no-etag
        [ "$status" = 14 ]
        status_of clean --dry-run --allow-no-etag --reason test
        [ "$status" = 0 ]
        says D-VERSION
        control -X DELETE /log
        case $lack in # one each: they are waited out
        *curr*etags*) fault '{"at":"dv.request","match":"DELETE ","skip":1,"do":"error","arg":429,"text":"0x80072321 retry-after=1"}' ;;
        *curr*) ;;
        *) fault '{"at":"dv.after","match":"DELETE ","skip":3,"do":"cut"}' ;;
        esac
        status_of clean_all --allow-no-etag --reason test
        [ "$status" = 0 ]
        [ "$(rows_left)" = "0 0 0 0" ]
        says "without row versions"
        refute logged '"if_match":"W'
        # each row was read just before; a sending that came to nothing is not repeated without another look
        control /log | node -e '
            const seen = {};
            let deletes = 0;
            for (const line of require("fs").readFileSync(0, "utf8").trim().split("\n")) {
                const entry = JSON.parse(line);
                const key = /configs\(([^)]+)\)/.exec(entry.path || "");
                if (entry.kind !== "http" || !key) continue;
                if (entry.method === "GET") seen[key[1]] = true;
                if (entry.method !== "DELETE") continue;
                deletes++;
                if (!seen[key[1]]) throw new Error("not looked at: " + line);
                seen[key[1]] = false;
            }
            if (deletes < 17) throw new Error(deletes + " deletes");'
    done
}

@test "without row versions: what something between answers is no delete, and no other row is sent" {
    for answer in 200 403; do
        fresh
        rm -rf "$runs"
        settings '{"optimistic_concurrency":false}'
        fault '{"at":"dv.after","match":"DELETE ","skip":2,"times":1,"do":"error","arg":'$answer',"text":"html"}'
        control -X DELETE /log
        status_of clean_all --allow-no-etag --reason test
        [ "$status" = 3 ]
        [ "$(rows_left)" = "0 0 0 14" ] # the third was done behind it
        grep -q '"state":"unknown","http_status":"'$answer'"' "$runs"/2*/journal*
        [ "$(control /log | grep -c '"method":"DELETE"')" = 3 ]
        run=$(basename "$runs"/2*)
        status_of both_write resume "$run" --maps-are-stopped --yes --allow-no-etag --reason test \
            --plan-id "$(json plan_id <"$runs/$run/report.json")"
        [ "$status" = 0 ]
        [ "$(rows_left)" = "0 0 0 0" ]
    done
}

@test "a token that the service does not take" {
    fault '{"at":"dv.request","match":"RetrieveCurrentOrganization","times":0,"do":"error","arg":401,"text":"0x80048306"}'
    status_of verify_dataverse
    [ "$status" = 12 ]
}

@test "dual-write that is not installed is not clean" {
    settings '{"table_installed":false}'
    status_of verify_dataverse
    [ "$status" = 14 ]
    says "not in this organization"
}

@test "a 404 of a proxy is not a missing table" {
    fault '{"at":"dv.request","match":"EntityDefinitions","times":0,"do":"error","arg":404,"text":"html"}'
    status_of verify_dataverse
    [ "$status" = 14 ]
    refute says "not in this organization"
}

@test "HTML instead of a list, half a list, and a list without value are errors" {
    for fault in html truncated-json no-value foreign-nextlink repeat-nextlink; do
        fresh
        settings '{"page_cap":5}'
        fault "{\"at\":\"dv.list\",\"times\":0,\"do\":\"other\",\"text\":\"$fault\"}"
        status_of verify_dataverse
        [ "$status" = 14 ]
    done
}

@test "a list of many pages is read whole" {
    settings '{"page_cap":5}'
    status_of verify_dataverse
    [ "$status" = 2 ]
    says 17
}

@test "a service that is not there" {
    status_of verify_dataverse --dataverse-url https://localhost:1
    [ "$status" = 10 ]
}

@test "an untrusted or wrong certificate is named" {
    other scenario-a --certificate wrong-name
    export DWCLEAN_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
    status_of verify_dataverse
    [ "$status" = 10 ]
    says certificate
    refute logged '"kind":"token"'
}

@test "a host that is not Dataverse's is refused before anything is sent" {
    mapfile -t t < <(dataverse_target)
    status_of "$DWCLEAN" verify --dataverse-only --dataverse-url https://example.com --client-id a --tenant-id b
    [ "$status" = 64 ]
    says --allow-host
}

@test "rows of both sides in one verify, one side dead: residue is still residue" {
    status_of verify -S localhost,1
    [ "$status" = 2 ]
    says refused
}

@test "a new row that a map writes during the purge is listed and left" {
    id=$(plan_id)
    fault '{"at":"dv.write","match":"DELETE","times":1,"do":"other","text":"insert"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 3 ]
    [ "$(rows_left)" = "0 0 0 1" ]
}

@test "throttling is waited for, and every row goes once" {
    id=$(plan_id)
    fault '{"at":"dv.request","match":"DELETE","skip":3,"times":2,"do":"error","arg":429,"text":"0x80072322"}'
    status_of clean --maps-are-stopped --reason test --yes --plan-id "$id"
    [ "$status" = 0 ]
    [ "$(rows_left)" = "0 0 0 0" ]
}
