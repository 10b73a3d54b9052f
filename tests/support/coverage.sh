#!/bin/sh
# Coverage: core/ by its unit tests, lines and branches, gated. --whole: every layer, by the unit and contract tests
# and some files of tests/cli, lines gated at 90 %; minutes, so for the night.
#
# A branch counts unless it is an assertion's (that it holds is the point) or the compiler says that nothing reaches it.
set -eu
cd "$(dirname "$0")/../.."
core_lines=100 core_branches=99 whole_lines=90
cmake --preset coverage

measure() {
    gcovr --root . --object-directory build/coverage --exclude-branches-by-pattern '.*assert\(.*' \
        --exclude-unreachable-branches "$@" build/coverage
}

case ${1:-} in
"")
    tests=$(cd tests/unit/core && ls test_*.c | sed 's/^test_\(.*\)\.c$/test_core_\1/')
    # shellcheck disable=SC2086
    ninja -C build/coverage $tests
    find build/coverage -name '*.gcda' -delete
    for test in $tests; do "build/coverage/tests/$test"; done
    measure --filter 'src/core/' --branches
    measure --filter 'src/core/' --print-summary --fail-under-line "$core_lines" --fail-under-branch "$core_branches" |
        sed -n '/^lines:/,$p'
    ;;
--whole)
    ninja -C build/coverage
    find build/coverage -name '*.gcda' -delete
    ctest --test-dir build/coverage -L 'unit|contract' -LE elsewhere --output-on-failure
    ctest --test-dir build/coverage --output-on-failure \
        -R '^cli\.(check|clean|diagnosis|env|explain|export|fleet|forms|halves|html|monitoring|other_engine|plan|prune|repair_map|report|runs|undo|usage)$'
    measure --filter 'src/' --print-summary --fail-under-line "$whole_lines"
    ;;
*)
    echo "usage: sh tests/support/coverage.sh [--whole]" >&2
    exit 64
    ;;
esac
