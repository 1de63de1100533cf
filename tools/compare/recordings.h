// The two comparisons that need more than a pair of files:
//
//   CompareRecordings   the same COMMAND, recorded at least three times a side
//                       (hash seed 0, one address layout, canonical arena
//                       offsets): medians against the base's own band (band.h)
//   CompareWithin       the same TRACE and session, one allocator against
//                       another: memory exact or by range, times by JudgeTimes
//
// Both give a Comparison, which comparison_text.h puts into words. Ratios (jw1,
// waste ...) are left out of the first: they follow from the bytes, and would
// only ask the same question again.
//
// ERRORS. InputError as Compare(). Plain values.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"
#include "tools/compare/time_gate.h"

namespace arenalab {

Comparison CompareRecordings(const std::string& base_name,
                             const std::vector<nlohmann::json>& base,
                             const std::string& new_name,
                             const std::vector<nlohmann::json>& now,
                             const CompareOptions& options);

// `results` has `base` and `now` among its allocators, by number.
Comparison CompareWithin(const std::string& name, const nlohmann::json& results,
                         std::size_t base, std::size_t now,
                         const CompareOptions& options,
                         const TimeGateOptions& times);

}  // namespace arenalab
