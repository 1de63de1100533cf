#!/usr/bin/env bash
# Every C++ file passes clang-tidy with .clang-tidy: two files at a time, some
# seconds each.
set -euo pipefail
cd "$(dirname "$(readlink -f WORKSPACE)")"
if ! command -v clang-tidy >/dev/null; then
  echo "SKIPPED: no clang-tidy"
  exit 0
fi
# The checker itself is checked: a use after a move is a finding.
bad=$(mktemp -d)
trap 'rm -rf "$bad"' EXIT
cp .clang-tidy "$bad"
cat >"$bad/x.cc" <<'END'
#include <string>
#include <utility>
unsigned long Lengths(std::string s) {
  std::string t = std::move(s);
  return s.size() + t.size();
}
END
if clang-tidy --quiet "$bad/x.cc" -- -std=c++20 >/dev/null 2>&1; then
  echo "clang-tidy accepts a use after a move" >&2
  exit 1
fi
find . -path './bazel-*' -prune -o -name node_modules -prune -o \
  -name '*.cc' -type f -print0 |
  xargs -0 -n 1 -P 2 sh -c 'clang-tidy --quiet "$1" -- -std=c++20 -I. 2>/dev/null || {
    echo "clang-tidy: $1" >&2; exit 1; }' sh
