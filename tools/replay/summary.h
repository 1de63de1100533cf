// One number per question from a curve of held (or committed) bytes over a
// curve of requested bytes.
//
//   jw1  mean over the clock of held / requested, minus 1
//   jw2  held / requested where requested is largest, minus 1
//   jw3  held / requested where held is largest, minus 1
//   jw4  largest held / largest requested, minus 1
//   waste  integral of (held - requested) over the clock / that of requested
//
// after Johnstone and Wilson, "The Memory Fragmentation Problem: Solved?"
// (1998). All are taken at the samples; the interval that ends in a sample has
// that sample's values; samples without a requested byte are left out of jw1.
// Of equal maxima the first counts.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace arenalab {

struct Fragmentation {
  std::optional<double> jw1;
  std::optional<double> jw2;
  std::optional<double> jw3;
  std::optional<double> jw4;
  std::optional<double> waste;
};

// Three vectors of one length; the clock does not descend.
Fragmentation Summarise(const std::vector<std::uint64_t>& clock,
                        const std::vector<std::uint64_t>& requested,
                        const std::vector<std::uint64_t>& held);

}  // namespace arenalab
