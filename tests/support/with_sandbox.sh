#!/bin/sh
# with_sandbox.sh SANDBOX_BINARY SOURCE_DIR SEED PROGRAM [argument...]: run a program beside a sandbox of
# its own, with the sandbox's variables in its environment. Ends with the program's status. SANDBOX_OPTIONS:
# further options of the sandbox.
set -eu
SANDBOX_BINARY=$1 SOURCE_DIR=$2 seed=$3
shift 3
. "$SOURCE_DIR/tests/support/sandbox.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dwclean-contract.XXXXXX")
trap 'stop_sandbox || true; rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# shellcheck disable=SC2086 # words
start_sandbox "$scratch/sandbox" "$seed" ${SANDBOX_OPTIONS:-}
export SANDBOX_BINARY SOURCE_DIR SANDBOX_TDS_PORT SANDBOX_DATAVERSE_URL SANDBOX_AUTHORITY SANDBOX_TENANT SANDBOX_CLIENT_ID \
    SANDBOX_CLIENT_SECRET SANDBOX_IDENTITY SANDBOX_IDENTITY_HEADER SANDBOX_CLIENT_CERTIFICATE SANDBOX_CLIENT_KEY SANDBOX_CONTROL SANDBOX_CA
status=0
"$@" || status=$?
stop_sandbox || status=1
exit "$status"
