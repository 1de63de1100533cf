// The processes of a run, from the metadata of its traces: who started whom,
// what each used over time, and what they used together. No trace is decoded.
//
// The curves have a point for each of kRunPoints equal pieces of the run: the
// most that was read in it, or the reading before it while the process lives.
//
// THREADS. No state. ERRORS. InputError where the first trace cannot be read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace arenalab {

inline constexpr std::size_t kRunPoints = 240;

// The `processes` of RESULTS.md; null for a run of one.
nlohmann::ordered_json ProcessesOf(const std::string& trace);

}  // namespace arenalab
