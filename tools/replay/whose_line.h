// Whose the recorded process's memory was, of a results object: a line of the
// verdict.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace arenalab {

// At the largest reading of the process's Rss: the pages of arenas that were
// touched, by the model of `pymalloc` (an allocator of the results); what
// Python had from the C library, as asked for; the rest. "" where the trace has
// no reading, or `pymalloc` is nullptr.
std::string WhoseLine(const nlohmann::ordered_json& results,
                      const nlohmann::ordered_json* pymalloc);

}  // namespace arenalab
