// The baseline that a repository checks in: one small JSON with what later runs
// are compared with. Sorted keys, raw values of every recording, no time of
// day: a reviewer sees in its difference what changed.
//
//   { "schema": "arenalab.baseline/1", "tool", "subjects": { NAME: [RESULTS…] }
//   }
//
// RESULTS is a results object (tools/replay/RESULTS.md) with what is compared
// and nothing else; its "machine" is the environment's fingerprint.
//
// ERRORS. InputError: cannot be read or written, another schema.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace arenalab {

using Baseline = std::map<std::string, std::vector<nlohmann::json>>;

// nullopt where there is no such file.
std::optional<Baseline> ReadBaseline(const std::string& path);
void WriteBaseline(const std::string& path, const Baseline& baseline);

// A results object without its curves, maps and paths.
nlohmann::json Comparable(const nlohmann::json& results);

}  // namespace arenalab
