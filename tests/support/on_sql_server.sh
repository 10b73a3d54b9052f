#!/bin/sh
# on_sql_server.sh BUILD: the contract suites of the AxDB port against the server in DWCLEAN_TEST_MSSQL
# (tests/contract/README.md). Ends with 1 when a test failed.
set -u
SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
export SOURCE_DIR
build=${1:?usage: on_sql_server.sh BUILD}
[ -n "${DWCLEAN_TEST_MSSQL:-}" ] || {
    echo "DWCLEAN_TEST_MSSQL is not set" >&2
    exit 2
}
status=0
for program in "$build"/tests/contract_axdb_*; do
    case $program in
    *_fake) continue ;;
    esac
    printf '\n%s\n' "${program##*/}"
    "$program" || status=1
done
exit "$status"
