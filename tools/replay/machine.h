// What a result was measured on, so that two results can be told apart. Figures
// of the model do not depend on it; times and resident memory do.
#pragma once

#include <nlohmann/json.hpp>

namespace arenalab {

// RESULTS.md's "machine". What cannot be read is null.
nlohmann::json DescribeMachine();

}  // namespace arenalab
