#!/bin/sh
# with_sql_server.sh SANDBOX_BINARY SOURCE_DIR PROGRAM [argument...]: run a contract test as it runs against a
# server of one's own: a sandbox stands in for that server, and the program knows nothing of it but
# DWCLEAN_TEST_MSSQL. Ends with the program's status.
set -eu
SANDBOX_BINARY=$1 SOURCE_DIR=$2
shift 2
. "$SOURCE_DIR/tests/support/sandbox.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dwclean-contract.XXXXXX")
trap 'stop_sandbox || true; rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
start_sandbox "$scratch/sandbox" clean --database dwclean_test_elsewhere
DWCLEAN_TEST_MSSQL="Server=tcp:localhost,$SANDBOX_TDS_PORT;Database=dwclean_test_elsewhere;User ID=admin"
DWCLEAN_TEST_MSSQL="$DWCLEAN_TEST_MSSQL;Password=Sandbox-Passw0rd!;Encrypt=Mandatory;TrustServerCertificate=True"
export DWCLEAN_TEST_MSSQL SOURCE_DIR
status=0
"$@" || status=$?
stop_sandbox || status=1
exit "$status"
