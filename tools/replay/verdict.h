// The replay in at most ten lines of plain words, computed from the results
// object and nothing else, so that terminal, page and file say the same: what
// is held, why, what others would have held, how fast, what it cannot tell, and
// the next command.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace arenalab {

inline constexpr std::size_t kMostVerdictLines = 10;

// `results` is RESULTS.md's object; its "verdict" is not looked at.
std::vector<std::string> VerdictLines(const nlohmann::ordered_json& results);

// As spelled; plain `pymalloc` with the geometry that it stands for.
std::string NameInTables(const nlohmann::ordered_json& allocator);

// One row per allocator, aligned, for a terminal.
std::string SummaryTable(const nlohmann::ordered_json& results);

// One row per allocator and kind of request; "" where none was timed.
std::string LatencyTable(const nlohmann::ordered_json& results);

}  // namespace arenalab
