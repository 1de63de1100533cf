// A program run once, with what it cost.
//
// MEMORY is what the kernel calls resident, of all the run's processes: of one
// process its Rss; of several, once there are several, their Pss, which divides
// what they share. Looked at every few milliseconds: a peak that is shorter may
// be missed, unless it is one process' own (VmHWM, through wait4).
//
// CPU is user and system time of the program and every child that it waited
// for; the same holds for faults.
//
// Unix only. One run at a time; no threads. Errors: a program that cannot be
// started has exit status 126 or 127 and no samples.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exec/arm.h"

namespace arenalab {

struct MeasuredRun {
  int status = 0;  // as a shell gives it: 128 + n for a signal
  double wall_s = 0;
  double cpu_s = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t peak_bytes = 0;
  // The last local minimum from which the curve rises again by a fifth of its
  // peak; nothing where it never falls and rises so.
  std::optional<std::uint64_t> valley_bytes;
  // When the interpreter begins to go down; the last look where it never says
  // so (killed, os._exit).
  std::uint64_t end_bytes = 0;
  bool forked = false;  // there were several processes at a time
};

// The program's output is dropped unless `shows_output`; it reads nothing.
MeasuredRun RunMeasured(const Arm& arm, const std::vector<std::string>& command,
                        bool shows_output);

// Of a curve of samples, apart from any process so that tests can feed it.
struct MemorySample {
  double time_s;
  std::uint64_t bytes;
};
std::optional<std::uint64_t> LastValley(const std::vector<MemorySample>& curve);

// Becomes the program: does not return unless it cannot be started; then 126
// or 127, and why is on stderr.
int BecomeProgram(const Arm& arm, const std::vector<std::string>& command);

}  // namespace arenalab
