#!/bin/sh
# Line coverage of core/ by its unit tests, printed; below 90 % is a failure.
set -eu
cd "$(dirname "$0")/../.."
tests=$(cd tests/unit/core && ls test_*.c | sed 's/^test_\(.*\)\.c$/test_core_\1/')
cmake --preset coverage
# shellcheck disable=SC2086
ninja -C build/coverage $tests
for test in $tests; do "build/coverage/tests/$test"; done
gcovr --root . --filter 'src/core/' --object-directory build/coverage --fail-under-line 90 build/coverage
