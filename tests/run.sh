#!/bin/sh
# Every check of this project: sh tests/run.sh. Installs what is missing (Debian 12), needs no standard
# input, talks only to loopback. DWCLEAN_STAGES="ci lint" runs some stages only; --scenarios runs the situations of
# tests/scenario/acceptance.bats only, with the build of the preset ci.
set -u
SOURCE_DIR=$(cd "$(dirname "$0")/.." && pwd)
cd "$SOURCE_DIR" || exit 1
mkdir -p build
PACKAGES_LOG=$SOURCE_DIR/build/packages.log
. "$SOURCE_DIR/tests/support/packages.sh"
need_packages build test package || exit 1
case ${1:-} in
"" | --beside) ;;
--scenarios)
    cmake --preset ci >/dev/null && cmake --build --preset ci -j "$(nproc)" --target dwclean dwclean-sandbox >/dev/null || exit 1
    exec ctest --preset ci -R '^scenario\.acceptance$' --verbose </dev/null
    ;;
*)
    echo "usage: sh tests/run.sh [--scenarios]" >&2
    exit 64
    ;;
esac

passed=0 failed=0 skipped=0
jobs=$(nproc)

# stage NAME COMMAND...: one check that is not a ctest run; its output is shown only when it fails.
stage() {
    name=$1
    shift
    case " ${DWCLEAN_STAGES:-ci asan tidy lint demo package coverage} " in
    *" ${name%%.*} "*) ;;
    *) return 0 ;;
    esac
    began=$(date +%s)
    if "$@" >"build/stage.$name.log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        word=passed
    else
        failed=$((failed + 1))
        word=FAILED
        tail -n 60 "build/stage.$name.log"
    fi
    printf '%-24s %s (%s s)\n' "$name" "$word" "$(($(date +%s) - began))"
}

build() { cmake --preset "$1" && cmake --build --preset "$1" -j "$jobs"; }

# tests PRESET: build it, run its tests, add their numbers to ours.
tests() {
    stage "$1.build" build "$1"
    case " ${DWCLEAN_STAGES:-ci asan tidy lint demo package coverage} " in
    *" $1 "*) ;;
    *) return 0 ;;
    esac
    ctest --preset "$1" </dev/null 2>&1 | tee "build/ctest.$1.log"
    summary=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' \
        "build/ctest.$1.log")
    if [ -z "$summary" ]; then
        echo "ctest --preset $1 gave no summary"
        failed=$((failed + 1))
        return 0
    fi
    # a skip inside a bats file or a cmocka program must not hide in a passed ctest line
    skips=$(grep -hE '^ok [0-9]+ .*# skip|^\[  SKIPPED \] [a-z]' "build/$1/Testing/Temporary/LastTest.log" |
        sort -u)
    if [ -n "$skips" ]; then
        printf 'skipped:\n%s\n' "$skips"
        skipped=$((skipped + $(printf '%s\n' "$skips" | wc -l)))
    fi
    bad=${summary% *} all=${summary#* }
    left_out=$(grep -c '\*\*\*Skipped' "build/ctest.$1.log")
    skipped=$((skipped + left_out))
    failed=$((failed + bad))
    passed=$((passed + all - bad - left_out))
}

if [ "${1:-}" = --beside ]; then
    jobs=1
    stage tidy.build build tidy # with clang: its warnings are errors too
    stage lint.format sh tests/lint/check_format.sh
    stage lint.tree sh tests/lint/check_tree.sh
    stage package sh tests/package/run.sh
    stage coverage sh tests/support/coverage.sh
    stage demo sh fixtures/demo.sh
    stage demo.twice sh fixtures/demo.sh
    stage demo.interrupted sh tests/support/demo_interrupted.sh
    echo "$passed $failed" >build/beside.numbers
    exit
fi

# What wants no quiet machine runs with less priority while the tests wait for their servers: in a session of its own, so
# that it can be ended as a whole.
rm -f build/beside.numbers
nice -n 10 setsid sh tests/run.sh --beside >build/beside.log 2>&1 </dev/null &
beside=$!
trap 'kill -TERM -- "-$beside" 2>/dev/null' EXIT
trap 'exit 130' INT TERM
tests ci
tests asan
wait "$beside"
cat build/beside.log
if read -r more bad <build/beside.numbers; then
    passed=$((passed + more)) failed=$((failed + bad))
else
    echo "the stages beside the tests did not end"
    failed=$((failed + 1))
fi

printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
