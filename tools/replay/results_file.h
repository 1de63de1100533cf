// The results file (RESULTS.md) as a file: reading checks what every reader
// relies on, writing is whole or not at all. "-" is standard input or output.
//
// ERRORS. InputError: not there, no JSON, another schema, no allocators; exists
// and is not to be replaced; cannot be written.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace arenalab {

inline constexpr char kResultsSchema[] = "arenalab.results/1";

// In the file's own order of fields.
nlohmann::ordered_json ReadResults(const std::string& path);

void WriteResults(const nlohmann::ordered_json& results,
                  const std::string& path, bool overwrite);

}  // namespace arenalab
