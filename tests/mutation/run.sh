#!/bin/sh
# Safety-relevant lines are broken one after the other, in a copy of the tree; a test has to fail for each.
set -eu
cd "$(dirname "$0")/../.."
exec node tests/mutation/run.mjs "$@"
