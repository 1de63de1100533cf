#!/usr/bin/env bash
# What a python_test (python_test.bzl) runs: PROGRAM [MODULE...].
set -euo pipefail
path=tests
for file in "$@"; do path+=:$(dirname "$file"); done
PYTHONPATH=$path PYTHONDONTWRITEBYTECODE=1 exec python3 "$1"
