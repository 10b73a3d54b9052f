#!/bin/sh
# What a tree of this project must not hold, and what every folder must.
set -eu
cd "$(dirname "$0")/../.."
bad=0
fault() { echo "$*"; bad=1; }

extra=$(git ls-files | cut -d/ -f1 | sort -u | grep -vxE \
    'CMakeLists\.txt|CMakePresets\.json|README\.md|CONTRIBUTING\.md|CHANGELOG\.md|LICENSE|SECURITY\.md|src|sql|include|tests|fixtures|\..*' || true)
[ -z "$extra" ] || fault "top-level entries that do not belong there: $extra"

for folder in src include sql fixtures tests src/* tests/*; do
    [ -d "$folder" ] || continue
    [ -f "$folder/README.md" ] || fault "$folder has no README.md"
done

git grep -nE 'TODO|FIXME|\bXXX\b' -- '*.c' '*.h' '*.sql' '*.sh' ':!tests/lint' && fault "unfinished words" || true
git ls-files | grep -E '(^|/)(core|.*\.log|.*\.o|a\.out)$' && fault "build products are tracked" || true
# one source per header: include/<layer>/<thing>.h has src/<layer>/<thing>.c, ports and tables apart
for header in include/base/*.h include/core/*.h include/config/*.h include/report/*.h; do
    source=src/${header#include/}
    case $header in
    include/base/slice.h | include/base/eight.h | include/base/block.h | include/base/poison.h) continue ;;
    esac
    set -- "${source%.h}".c "${source%.h}"_*.c
    [ -f "$1" ] || [ -f "$2" ] || fault "$header has no ${source%.h}.c"
done
exit $bad
