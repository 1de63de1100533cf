#!/usr/bin/env bash
# Every C++ file is laid out as clang-format 14 with .clang-format would.
set -euo pipefail
cd "$(dirname "$(readlink -f WORKSPACE)")"
if ! command -v clang-format >/dev/null; then
  echo "SKIPPED: no clang-format"
  exit 0
fi
if ! clang-format --version | grep -q 'version 14\.'; then
  echo "SKIPPED: clang-format is not version 14: $(clang-format --version)"
  exit 0
fi
# The checker itself is checked: this line is out of order.
if clang-format --dry-run -Werror --assume-filename=x.cc <<<'int  x ;' 2>/dev/null; then
  echo "clang-format accepts anything" >&2
  exit 1
fi
find . -path './bazel-*' -prune -o -name node_modules -prune -o \
  \( -name '*.cc' -o -name '*.h' \) -type f -print0 |
  xargs -0 clang-format --dry-run -Werror
