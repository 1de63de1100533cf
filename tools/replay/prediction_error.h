// How far the resident bytes that replay predicts were from those of Python
// really running on the allocator, at the last valley, in percent of the
// process: the median and the worst of the study's workloads.
//
// SOURCE: workloads/study/prediction.json, made by tools/study/prediction.py;
// tools/study/tables.py --write copies the figures, and a test fails where they
// are not the same.
#pragma once

#include <string_view>

namespace arenalab {

struct PredictionError {
  std::string_view allocator;
  double median_percent;
  double worst_percent;
};

inline constexpr PredictionError kPredictionErrors[] = {
    // <!-- table: prediction-error -->
    {"pymalloc", 0.7, 1.6},
    {"mimalloc", 5.2, 32.7},
    {"jemalloc", 3.5, 34.8},
    {"system", 1.5, 31.9},
    // <!-- end -->
};

}  // namespace arenalab
