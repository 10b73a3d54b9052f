#!/bin/sh
# Every C source is as clang-format 14 leaves it.
set -eu
cd "$(dirname "$0")/../.."
find include src tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror
