#!/bin/sh
# Line coverage of core/ by the unit tests, printed; below 90 % is a failure.
set -eu
cd "$(dirname "$0")/../.."
cmake --preset coverage
ninja -C build/coverage test_core_run test_core_guard test_core_host test_core_rowset test_core_checks
for test in run guard host rowset checks; do "build/coverage/tests/test_core_$test"; done
gcovr --root . --filter 'src/core/' --object-directory build/coverage --fail-under-line 90 build/coverage
