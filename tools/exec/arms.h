// The same program on several arms, measured side by side: `exec` with more
// than one allocator, and `remedies`.
//
// ROUNDS. Every arm once a round, in an order that changes from round to round;
// the first arm twice: its second run is the A/A arm, and what its ratio does
// is noise. Memory is the median over the rounds. CPU is compared by the ratios
// within each round (tools/replay/measure_ratio.h says how): the median and,
// from three rounds on, a bootstrap 95 % interval.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/exec/arm.h"
#include "tools/exec/measured_run.h"
#include "tools/replay/measure.h"

namespace arenalab {

struct ArmResult {
  Arm arm;
  std::vector<MeasuredRun> runs;  // one a round
  MeasuredRun median;             // each field's own median
  TimeRatio cpu;                  // against the first arm
};

struct ArmComparison {
  std::vector<ArmResult> arms;
  TimeRatio again;  // the A/A arm
  int rounds = 0;
};

// `told` is called before each run with what is about to run.
ArmComparison CompareArms(
    const std::vector<Arm>& arms, const std::vector<std::string>& command,
    int rounds,
    const std::function<void(const std::string&, int done, int total)>& told);

// Aligned columns, a line an arm; the first is what the others are held
// against.
std::string ArmTable(const ArmComparison& comparison);
// The same as one JSON object: {"rounds", "command", "arms": [...]}.
std::string ArmJson(const ArmComparison& comparison,
                    const std::vector<std::string>& command);

}  // namespace arenalab
