#!/usr/bin/env bash
# What a page_test (page_test.bzl) runs: TEST.mjs, with the npm packages that
# set-up installed. Without them it says so and counts as skipped.
set -euo pipefail
if [[ $1 == none ]]; then
  echo "SKIPPED: the page's npm packages or node are missing (./tools/setup)"
  exit 0
fi
export PAGE_MODULES="$PWD/../page_tools/node_modules"
exec node --preserve-symlinks --preserve-symlinks-main \
  --test-reporter=spec --test-reporter-destination=stdout \
  --test-reporter="./tests/visualizer/xml_reporter.mjs" \
  --test-reporter-destination="${XML_OUTPUT_FILE:-/dev/null}" "$1"
