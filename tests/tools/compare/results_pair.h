// A small results file in the shape of tools/replay/RESULTS.md, for tests to
// change one thing in.
#pragma once

#include <nlohmann/json.hpp>

namespace arenalab {

inline nlohmann::json MakeResults() {
  return nlohmann::json::parse(R"({
    "schema": "arenalab.results/1",
    "complete": true,
    "machine": {"cpu": "a cpu", "cores": 2, "kernel": "6.1.0",
                "libc": "glibc 2.36", "page_bytes": 4096},
    "trace": {"file": "app.trace", "hash": "0123456789abcdef",
              "program": "python3 app.py"},
    "verify": {"status": "equal"},
    "options": {"scope": "python", "touch": "header"},
    "allocators": [
      {"name": "pymalloc", "spelled": "pymalloc", "version": "cpython-3.11",
       "sha256": null,
       "arenas": {"created": 41, "released": 7, "high_water": 41,
                  "live_at_end": 34},
       "summary": {"peak_held_bytes": 42991616,
                   "peak_committed_bytes": 40000000,
                   "last_valley_held_bytes": null,
                   "end_held_bytes": 35651584, "end_committed_bytes": 30000000,
                   "peak_rss_bytes": 41000000,
                   "jw1": 0.25, "jw2": 0.1, "jw3": 0.2, "jw4": 0.15,
                   "drain_bytes": 1048576},
       "time": {"ratio_to_pymalloc": {"median": 1, "low": 1, "high": 1}}},
      {"name": "mimalloc", "spelled": "mimalloc", "version": "2.0.9",
       "sha256": "aa", "arenas": null,
       "summary": {"peak_held_bytes": 50000000,
                   "peak_committed_bytes": 45000000,
                   "peak_rss_bytes": 46000000},
       "time": {"ratio_to_pymalloc": {"median": 0.9, "low": 0.85,
                                      "high": 0.95}}}
    ]})");
}

}  // namespace arenalab
