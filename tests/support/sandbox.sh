# Sourced by test scripts (sh and bash): starts and ends a dwclean-sandbox of one's own.
# Needs: SANDBOX_BINARY (path), SOURCE_DIR (the checkout).

# start_sandbox DIR SEED [option...]: makes DIR, waits until it is ready, and loads its variables
# (SANDBOX_TDS_PORT, SANDBOX_DATAVERSE_URL, SANDBOX_CONTROL, SANDBOX_CA, ...; see tests/sandbox/README.md).
start_sandbox() {
    sandbox_dir=$1
    sandbox_seed=$2
    shift 2
    mkdir -p "$sandbox_dir"
    "$SANDBOX_BINARY" --seed "$sandbox_seed" --dir "$sandbox_dir" --fixtures "$SOURCE_DIR/fixtures" \
        --with-parent "$@" >"$sandbox_dir/out" 2>&1 </dev/null 3>&- 4>&- &
    sandbox_pid=$!
    waited=0
    until [ -f "$sandbox_dir/env" ]; do
        if ! kill -0 "$sandbox_pid" 2>/dev/null || [ "$waited" -ge 300 ]; then
            echo "the sandbox did not start:" >&2
            cat "$sandbox_dir/out" >&2
            return 1
        fi
        sleep 0.1
        waited=$((waited + 1))
    done
    . "$sandbox_dir/env"
}

# stop_sandbox: ends the one that start_sandbox started last; its exit status must be 0.
stop_sandbox() {
    [ -n "${sandbox_pid:-}" ] || return 0
    kill "$sandbox_pid" 2>/dev/null || true
    sandbox_status=0
    wait "$sandbox_pid" || sandbox_status=$?
    sandbox_pid=
    [ "$sandbox_status" = 0 ] || {
        echo "the sandbox ended with $sandbox_status:" >&2
        cat "$sandbox_dir/out" >&2
        return 1
    }
}
